"""Searching the database of TravelPlanner (arXiv 2402.01622): flights, roads, places and cities."""
