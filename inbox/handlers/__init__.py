"""What each activity means, by subject.  A handler is a unit: it reads the document and asks social/ to do it."""
