//! dimsegate from outside: the real binary between real peers, judged by bytes that this crate writes and reads itself.
//!
//! One module for each behaviour. The peers are those that `tests/run` installs; one that is missing fails its scenario.

#![allow(clippy::too_many_lines, reason = "a scenario is told from its beginning to its end")]

// The load generator's upper layer: independent of the library, and shown to be right against DCMTK in `direct`.
#[allow(dead_code, reason = "the load generator uses other parts")]
#[path = "../../bench/load/association.rs"]
mod association;
#[allow(dead_code, reason = "the load generator uses other parts")]
#[path = "../../bench/load/command.rs"]
mod command;
#[allow(dead_code, reason = "the load generator uses other parts")]
#[path = "../../bench/load/connection.rs"]
mod connection;
#[allow(dead_code, reason = "the load generator uses other parts")]
#[path = "../../bench/load/object.rs"]
mod object;
#[allow(dead_code, reason = "the load generator uses other parts")]
#[path = "../../bench/load/procfs.rs"]
mod procfs;
#[allow(dead_code, reason = "the load generator uses other parts")]
#[path = "../../bench/load/report.rs"]
mod report;
#[allow(dead_code, reason = "the load generator uses other parts")]
#[path = "../../bench/load/self_check.rs"]
mod self_check;
#[allow(dead_code, reason = "the load generator uses other parts")]
#[path = "../../bench/load/sink.rs"]
mod sink;
#[allow(dead_code, reason = "the load generator uses other parts")]
#[path = "../../bench/load/store.rs"]
mod store;
#[allow(dead_code, reason = "the load generator uses other parts")]
#[path = "../../bench/load/upper.rs"]
mod upper;

// Tests of the library make their folders with it, too.
#[path = "../../src/scratch.rs"]
mod scratch;

// What scenarios are made of.
mod browser;
mod consent;
mod corpus;
mod gate;
mod group;
mod peers;
mod process;
mod proposals;
mod raw;
mod report_page;
mod repositories;
mod site;
mod tap;
mod terminal;
mod wait;

// Without the proxy.
mod age;
mod curation;
mod de_identification;
mod demonstration;
mod difference;
mod direct;
mod echo;
mod exports;
mod file_names;
mod fuzzing;
mod help_texts;
mod judged_again;
mod layers;
mod manual_pages;
mod masking;
mod reference;
mod scored;
mod upper_layer;
mod users;
mod vocabulary;

// Through the proxy.
mod administration;
mod agreements;
mod alerts;
mod audit_commands;
mod automatic_blocks;
mod backups;
mod bad_input;
mod balancer;
mod beside_pixels;
mod blocking;
mod burned_in;
mod busy;
mod byte_for_byte;
mod command_sets;
mod commands;
mod comparison;
mod configurations;
mod crosswalk;
mod crosswalk_commands;
mod crosswalk_owners;
mod derived_objects;
mod endings;
mod evidence;
mod first_steps;
mod floods;
mod forwarding;
mod full_disk;
mod hostile_interface;
mod identifiers;
mod implementations;
mod interface_document;
mod interface_explain;
mod interface_tokens;
mod issuer_keys;
mod issuers;
mod limits;
mod log;
mod login;
mod messages;
mod midnight;
mod misfits;
mod monitoring;
mod named_instances;
mod negotiation;
mod notifications;
mod occasions;
mod offline_rules;
mod operating;
mod own_uids;
mod page;
mod page_figures;
mod page_people;
mod patients;
mod queries;
mod questions;
mod recipes;
mod records;
mod refusals;
mod refused_certificates;
mod review;
mod rewriting;
mod roles;
mod runbook;
mod schemathesis;
mod scope;
mod self_signed;
mod services;
mod states;
mod suite;
mod tenants;
mod texts;
mod tokens;
mod tolerance;
mod traces;
mod trail;
mod transport_security;
mod two_way;
mod upstreams;
mod user_identity;
mod users_while_open;
mod watched_files;
mod watched_secrets;
