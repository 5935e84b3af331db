"""Agencies (입주기관) and their information systems (정보시스템), graded 1-4, with the hosts they stand on."""
