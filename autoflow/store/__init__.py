"""See the modules; heavy imports stay inside them."""
