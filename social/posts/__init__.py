"""Posts and comments, by what is done with them: find, publish, receive, edit, delete; and their threads."""
