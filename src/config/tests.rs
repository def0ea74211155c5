//! Whole files: the examples, and what is wrong with broken ones.

mod administration;
mod agreements;
mod authorities;
mod broken;
mod consents;
mod crosswalks;
mod documents;
mod examples;
mod issuers;
mod masks;
mod material;
mod mutations;
mod parts;
mod records;
mod repositories;
mod rewrites;
mod risks;
mod slips;
mod tenants;
mod tls_files;
mod user_identity;
mod users;
