"""What people look at: forms and their versions, submissions and their answers, who is who."""
