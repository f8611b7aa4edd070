"""An example plugin: one fitness function with an option, one motif."""
