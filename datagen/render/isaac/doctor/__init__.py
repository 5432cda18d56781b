"""The doctor: settles on the user's machine what is only documented."""
