"""What a study or a comparison came to, for people elsewhere: self-contained HTML and CSV."""
