-- A table that a cursor reads, even one that is through, can be neither renamed nor dropped.
CLOSE ALL
