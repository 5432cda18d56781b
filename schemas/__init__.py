"""What crosses a process or file border: specs, array columns and the file layout. No I/O."""
