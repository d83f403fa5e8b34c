"""The parts of the Write page, one module a component."""
