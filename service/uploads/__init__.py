"""Uploads of users: scenes, textures, recorded paths. Everything in them is taken for hostile.

`names.py` says which names may exist, `unpack.py` takes archives apart, `scenes.py` looks at what
USD layers refer to, `pictures.py` at pictures; `__main__.py` is the process in which all that runs,
under limits; `accept.py` is what the service does around it.
"""
