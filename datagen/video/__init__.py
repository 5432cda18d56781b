"""Events from pictures that somebody else took: video files and folders of pictures."""
