"""Customer accounts: their numbers, groups, CallerIDs and restrictions."""
