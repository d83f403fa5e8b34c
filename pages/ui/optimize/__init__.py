"""The parts of the Optimize page, one module a part."""
