DROP TABLE program_drafts;
