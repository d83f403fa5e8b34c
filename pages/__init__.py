"""The web app's pages; see `app.py`."""
