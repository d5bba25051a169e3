.loan { color: red; }
