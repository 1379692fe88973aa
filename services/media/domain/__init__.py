"""What happens to uploads and to the media that come of them."""
