"""The fifteen expert tools of OpenAGI, and how a plan of them is carried out on pictures and texts."""
