"""Procedural textures: periodic noise, patterns built from it, and the library that names them."""
