"""Tables with holes: records, data sets, how holes are made, how columns become numbers."""
