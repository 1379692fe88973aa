"""Spreadsheets as people send them: read safely, understood by their headings, judged row by row."""
