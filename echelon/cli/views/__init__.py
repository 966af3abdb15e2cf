"""What commands print: tables, trees, curves and progress, made from values alone."""
