"""Speech, its texts and the task items as Lhotse cuts in LibriHeavy's schema; here, what the packages share."""
