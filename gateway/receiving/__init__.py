"""Evidence on its way in: large files over bad lines, by tus 1.0.0 or straight from a browser's form."""
