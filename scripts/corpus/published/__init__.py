"""Published test sets (sLM21, StoryCloze) in their own layouts, converted to task items."""
