-- Constraints that hold stay as they are; they go with their columns.
SELECT 1;
