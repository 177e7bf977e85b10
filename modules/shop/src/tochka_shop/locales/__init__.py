"""What the shop says, in Russian and in English: catalogues, plurals, prices and dates."""
