"""The collector of Bongsu: takes reports in, keeps them, says what is broken and shows it."""
