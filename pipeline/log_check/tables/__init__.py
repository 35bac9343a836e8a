"""The numbers of a check as tables of texts, for the terminal and the page alike."""
