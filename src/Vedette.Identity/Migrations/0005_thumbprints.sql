-- SHA-1 of a certificate in hexadecimal, as portals and the directory API show it.
ALTER TABLE client_certificates ADD COLUMN thumbprint text;
