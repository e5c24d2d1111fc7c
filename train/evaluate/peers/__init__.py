"""Other people's radiance fields in our own few lines, to be measured against; nothing of them ships."""
