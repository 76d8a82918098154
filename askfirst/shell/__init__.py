"""Shell analysis: from the text of a command to the effects it would have. Pure; the disk is asked through a port."""
