"""The one HTTP door: authentication, limits and translation to the services; no rule of the business."""
