"""What follows from what has happened: mails, timers, and the ending of what may not go on."""
