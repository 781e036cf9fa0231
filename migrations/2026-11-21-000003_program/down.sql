DROP TABLE program_wallets;
DROP TABLE program_versions;
DROP TABLE programs;
