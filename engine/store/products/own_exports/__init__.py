"""Files that Emberscope exported, taken back into a store with the facts that they carry."""
