DROP VIEW lots;
DROP VIEW lot_moves;
DROP VIEW entries;
