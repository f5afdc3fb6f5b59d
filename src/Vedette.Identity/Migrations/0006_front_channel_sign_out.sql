-- Where an application wants to hear, in the user's browser, that the user signed out.
ALTER TABLE applications ADD COLUMN logout_url text;
