"""XLSForm, the spreadsheet in which forms travel between the tools of this field: read with a report, and written."""
