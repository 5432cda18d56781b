"""Isaac Sim as a renderer: a child process with its own interpreter, driven through files."""
