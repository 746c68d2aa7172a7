CREATE TABLE "disbursement_batch_control" (
	"id" text PRIMARY KEY NOT NULL,
	"disbursement_cycle_id" bigint NOT NULL,
	"disbursement_envelope_id" text NOT NULL,
	"benefit_type" text NOT NULL,
	"number_of_disbursements" integer NOT NULL,
	"total_disbursement_quantity" numeric NOT NULL,
	"request_digest" text NOT NULL,
	"receipt_time_stamp" timestamp (3) with time zone NOT NULL,
	"fa_resolution_status" text DEFAULT 'NOT_APPLICABLE' NOT NULL,
	"fa_resolution_timestamp" timestamp (3) with time zone,
	"fa_resolution_latest_error_code" text,
	"fa_resolution_attempts" integer DEFAULT 0 NOT NULL,
	"fa_resolution_job_id" text,
	"fa_resolution_due_at" timestamp (3) with time zone,
	"geo_resolution_status" text DEFAULT 'NOT_APPLICABLE' NOT NULL,
	"geo_resolution_timestamp" timestamp (3) with time zone,
	"geo_resolution_latest_error_code" text,
	"geo_resolution_attempts" integer DEFAULT 0 NOT NULL,
	"geo_resolution_job_id" text,
	"geo_resolution_due_at" timestamp (3) with time zone,
	"warehouse_allocation_status" text DEFAULT 'NOT_APPLICABLE' NOT NULL,
	"warehouse_allocation_timestamp" timestamp (3) with time zone,
	"warehouse_allocation_latest_error_code" text,
	"warehouse_allocation_attempts" integer DEFAULT 0 NOT NULL,
	"warehouse_allocation_job_id" text,
	"warehouse_allocation_due_at" timestamp (3) with time zone,
	"agency_allocation_status" text DEFAULT 'NOT_APPLICABLE' NOT NULL,
	"agency_allocation_timestamp" timestamp (3) with time zone,
	"agency_allocation_latest_error_code" text,
	"agency_allocation_attempts" integer DEFAULT 0 NOT NULL,
	"agency_allocation_job_id" text,
	"agency_allocation_due_at" timestamp (3) with time zone,
	"sponsor_bank_dispatch_status" text DEFAULT 'NOT_APPLICABLE' NOT NULL,
	"sponsor_bank_dispatch_timestamp" timestamp (3) with time zone,
	"sponsor_bank_dispatch_latest_error_code" text,
	"sponsor_bank_dispatch_attempts" integer DEFAULT 0 NOT NULL,
	"sponsor_bank_dispatch_job_id" text,
	"sponsor_bank_dispatch_due_at" timestamp (3) with time zone,
	"sponsor_bank_dispatch_submission" integer DEFAULT 1 NOT NULL,
	"sponsor_bank_dispatch_submitted_at" timestamp (3) with time zone,
	CONSTRAINT "fa_resolution_status_known" CHECK ("disbursement_batch_control"."fa_resolution_status" in ('NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR')),
	CONSTRAINT "geo_resolution_status_known" CHECK ("disbursement_batch_control"."geo_resolution_status" in ('NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR')),
	CONSTRAINT "warehouse_allocation_status_known" CHECK ("disbursement_batch_control"."warehouse_allocation_status" in ('NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR')),
	CONSTRAINT "agency_allocation_status_known" CHECK ("disbursement_batch_control"."agency_allocation_status" in ('NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR')),
	CONSTRAINT "sponsor_bank_dispatch_status_known" CHECK ("disbursement_batch_control"."sponsor_bank_dispatch_status" in ('NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR'))
);
--> statement-breakpoint
CREATE TABLE "disbursement_error_recons" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "disbursement_error_recons_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"statement_id" text NOT NULL,
	"statement_number" text,
	"statement_sequence" text,
	"entry_sequence" integer NOT NULL,
	"entry_date" timestamp (3) with time zone,
	"value_date" timestamp (3) with time zone,
	"entry_amount" numeric NOT NULL,
	"error_reason" text NOT NULL,
	"reconciliation_id" text,
	"disbursement_envelope_id" text,
	"disbursement_batch_control_geo_id" text,
	"bank_reference_number" text,
	"reversal_reason" text
);
--> statement-breakpoint
CREATE TABLE "disbursement_recons" (
	"reconciliation_id" text PRIMARY KEY NOT NULL,
	"disbursement_id" text,
	"disbursement_batch_control_geo_id" text,
	"disbursement_batch_control_id" text NOT NULL,
	"disbursement_envelope_id" text NOT NULL,
	"beneficiary_name_from_bank" text,
	"remittance_amount" numeric NOT NULL,
	"remittance_reference_number" text,
	"remittance_statement_id" text NOT NULL,
	"remittance_statement_number" text,
	"remittance_statement_sequence" text,
	"remittance_entry_sequence" integer NOT NULL,
	"remittance_entry_date" timestamp (3) with time zone,
	"remittance_value_date" timestamp (3) with time zone,
	"reversal_found" boolean DEFAULT false NOT NULL,
	"reversal_statement_id" text,
	"reversal_statement_number" text,
	"reversal_statement_sequence" text,
	"reversal_entry_sequence" integer,
	"reversal_entry_date" timestamp (3) with time zone,
	"reversal_value_date" timestamp (3) with time zone,
	"reversal_reason" text
);
--> statement-breakpoint
CREATE TABLE "disbursement_resolution_financial_address" (
	"disbursement_id" text PRIMARY KEY NOT NULL,
	"disbursement_batch_control_id" text NOT NULL,
	"disbursement_envelope_id" text NOT NULL,
	"beneficiary_id" text NOT NULL,
	"mapper_resolved_fa" text,
	"mapper_resolved_name" text,
	"mapper_resolved_fa_type" text,
	"bank_account_number" text,
	"bank_code" text,
	"branch_code" text,
	"mobile_number" text,
	"mobile_wallet_provider" text,
	"email_address" text,
	"email_wallet_provider" text,
	CONSTRAINT "financial_address_type" CHECK ("disbursement_resolution_financial_address"."mapper_resolved_fa_type" in ('BANK_ACCOUNT', 'MOBILE_WALLET', 'EMAIL_WALLET'))
);
--> statement-breakpoint
CREATE TABLE "disbursements" (
	"id" text PRIMARY KEY NOT NULL,
	"disbursement_envelope_id" text NOT NULL,
	"disbursement_batch_control_id" text NOT NULL,
	"disbursement_cycle_id" bigint NOT NULL,
	"beneficiary_id" text NOT NULL,
	"beneficiary_name" text NOT NULL,
	"disbursement_quantity" numeric NOT NULL,
	"narrative" text NOT NULL,
	"receipt_time_stamp" timestamp (3) with time zone NOT NULL,
	"cancellation_status" text DEFAULT 'NOT_CANCELLED' NOT NULL,
	"cancellation_time_stamp" timestamp (3) with time zone,
	"left_out_reason" text,
	CONSTRAINT "disbursements_cancellation_status" CHECK ("disbursements"."cancellation_status" in ('NOT_CANCELLED', 'CANCELLED')),
	CONSTRAINT "disbursements_quantity" CHECK ("disbursements"."disbursement_quantity" >= 0)
);
--> statement-breakpoint
CREATE TABLE "disbursement_envelopes" (
	"id" text PRIMARY KEY NOT NULL,
	"benefit_program_id" bigint NOT NULL,
	"benefit_program_mnemonic" text NOT NULL,
	"benefit_program_description" text,
	"target_registry" text,
	"benefit_code_id" bigint NOT NULL,
	"benefit_code_mnemonic" text NOT NULL,
	"benefit_code_description" text,
	"benefit_type" text NOT NULL,
	"disbursement_cycle_id" bigint NOT NULL,
	"disbursement_frequency" text NOT NULL,
	"cycle_code_mnemonic" text NOT NULL,
	"number_of_beneficiaries" integer NOT NULL,
	"number_of_disbursements" integer NOT NULL,
	"total_disbursement_quantity" numeric NOT NULL,
	"measurement_unit" text NOT NULL,
	"disbursement_schedule_date" date NOT NULL,
	"receipt_time_stamp" timestamp (3) with time zone NOT NULL,
	"cancellation_status" text DEFAULT 'Not_Cancelled' NOT NULL,
	"cancellation_timestamp" timestamp (3) with time zone,
	CONSTRAINT "disbursement_envelopes_cancellation_status" CHECK ("disbursement_envelopes"."cancellation_status" in ('Not_Cancelled', 'Cancelled')),
	CONSTRAINT "disbursement_envelopes_benefit_type" CHECK ("disbursement_envelopes"."benefit_type" in ('CASH_DIGITAL', 'CASH_PHYSICAL', 'COMMODITY', 'SERVICE', 'COMBINATION'))
);
--> statement-breakpoint
CREATE TABLE "envelope_batch_status_for_cash" (
	"disbursement_envelope_id" text PRIMARY KEY NOT NULL,
	"sponsor_bank_code" text,
	"program_account_number" text,
	"funds_available_with_bank" text DEFAULT 'NOT_APPLICABLE' NOT NULL,
	"funds_available_latest_timestamp" timestamp (3) with time zone,
	"funds_available_latest_error_code" text,
	"funds_available_attempts" integer DEFAULT 0 NOT NULL,
	"funds_available_job_id" text,
	"funds_available_due_at" timestamp (3) with time zone,
	"funds_blocked_with_bank" text DEFAULT 'NOT_APPLICABLE' NOT NULL,
	"funds_blocked_latest_timestamp" timestamp (3) with time zone,
	"funds_blocked_latest_error_code" text,
	"funds_blocked_attempts" integer DEFAULT 0 NOT NULL,
	"funds_blocked_job_id" text,
	"funds_blocked_due_at" timestamp (3) with time zone,
	"funds_blocked_submission" integer DEFAULT 1 NOT NULL,
	"funds_blocked_submitted_at" timestamp (3) with time zone,
	"funds_blocked_reference_number" text,
	"number_of_disbursements_shipped" integer DEFAULT 0 NOT NULL,
	"number_of_disbursements_reconciled" integer DEFAULT 0 NOT NULL,
	"number_of_disbursements_reversed" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "envelope_batch_status_for_cash_funds_available" CHECK ("envelope_batch_status_for_cash"."funds_available_with_bank" in ('NOT_APPLICABLE', 'PENDING_CHECK', 'CHECK_IN_PROGRESS', 'FUNDS_AVAILABLE', 'FUNDS_NOT_AVAILABLE', 'ERROR')),
	CONSTRAINT "envelope_batch_status_for_cash_funds_blocked" CHECK ("envelope_batch_status_for_cash"."funds_blocked_with_bank" in ('NOT_APPLICABLE', 'PENDING_CHECK', 'CHECK_IN_PROGRESS', 'FUNDS_BLOCK_SUCCESS', 'FUNDS_BLOCK_FAILURE', 'ERROR'))
);
--> statement-breakpoint
CREATE TABLE "envelope_control" (
	"disbursement_envelope_id" text PRIMARY KEY NOT NULL,
	"receipt_status" text DEFAULT 'RECEIVING' NOT NULL,
	"number_of_disbursements_received" integer DEFAULT 0 NOT NULL,
	"total_disbursement_quantity_received" numeric DEFAULT '0' NOT NULL,
	"funds_due_from" timestamp (3) with time zone NOT NULL,
	"number_of_batches_ready" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "envelope_control_receipt_status" CHECK ("envelope_control"."receipt_status" in ('RECEIVING', 'RECEIVED')),
	CONSTRAINT "envelope_control_received" CHECK ("envelope_control"."number_of_disbursements_received" >= 0)
);
--> statement-breakpoint
CREATE TABLE "disbursement_batch_control_geo" (
	"id" text PRIMARY KEY NOT NULL,
	"disbursement_cycle_id" bigint NOT NULL,
	"disbursement_envelope_id" text NOT NULL,
	"disbursement_batch_control_id" text NOT NULL,
	"administrative_zone_id_large" text NOT NULL,
	"administrative_zone_mnemonic_large" text NOT NULL,
	"administrative_zone_id_small" text NOT NULL,
	"administrative_zone_mnemonic_small" text NOT NULL,
	"no_of_beneficiaries" integer DEFAULT 0 NOT NULL,
	"total_quantity" numeric DEFAULT '0' NOT NULL,
	"warehouse_id" text,
	"warehouse_mnemonic" text,
	"warehouse_additional_attributes" text,
	"agency_id" text,
	"agency_mnemonic" text,
	"agency_additional_attributes" text,
	"warehouse_notification_status" text DEFAULT 'NOT_APPLICABLE' NOT NULL,
	"warehouse_notification_timestamp" timestamp (3) with time zone,
	"warehouse_notification_latest_error_code" text,
	"warehouse_notification_attempts" integer DEFAULT 0 NOT NULL,
	"warehouse_notification_job_id" text,
	"warehouse_notification_due_at" timestamp (3) with time zone,
	"agency_notification_status" text DEFAULT 'NOT_APPLICABLE' NOT NULL,
	"agency_notification_timestamp" timestamp (3) with time zone,
	"agency_notification_latest_error_code" text,
	"agency_notification_attempts" integer DEFAULT 0 NOT NULL,
	"agency_notification_job_id" text,
	"agency_notification_due_at" timestamp (3) with time zone,
	CONSTRAINT "warehouse_notification_status_known" CHECK ("disbursement_batch_control_geo"."warehouse_notification_status" in ('NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR')),
	CONSTRAINT "agency_notification_status_known" CHECK ("disbursement_batch_control_geo"."agency_notification_status" in ('NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR'))
);
--> statement-breakpoint
CREATE TABLE "disbursement_batch_control_geo_attributes" (
	"id" text PRIMARY KEY NOT NULL,
	"disbursement_batch_control_id" text NOT NULL,
	"warehouse_name" text,
	"warehouse_admin_name" text,
	"warehouse_admin_email" text,
	"warehouse_admin_phone" text,
	"agency_name" text,
	"agency_admin_name" text,
	"agency_admin_email" text,
	"agency_admin_phone" text
);
--> statement-breakpoint
CREATE TABLE "disbursement_resolution_geo_address" (
	"id" text PRIMARY KEY NOT NULL,
	"disbursement_id" text NOT NULL,
	"disbursement_cycle_id" bigint NOT NULL,
	"disbursement_envelope_id" text NOT NULL,
	"disbursement_batch_control_id" text NOT NULL,
	"disbursement_batch_control_geo_id" text NOT NULL,
	"beneficiary_id" text NOT NULL,
	"administrative_zone_id_large" text NOT NULL,
	"administrative_zone_mnemonic_large" text NOT NULL,
	"administrative_zone_id_small" text NOT NULL,
	"administrative_zone_mnemonic_small" text NOT NULL,
	"warehouse_id" text,
	"warehouse_mnemonic" text,
	"agency_id" text,
	"agency_mnemonic" text,
	"beneficiary_name" text,
	"beneficiary_phone" text,
	"beneficiary_email" text,
	"beneficiary_notification_status" text DEFAULT 'NOT_APPLICABLE' NOT NULL,
	"beneficiary_notification_timestamp" timestamp (3) with time zone,
	"beneficiary_notification_latest_error_code" text,
	"beneficiary_notification_attempts" integer DEFAULT 0 NOT NULL,
	"beneficiary_notification_job_id" text,
	"beneficiary_notification_due_at" timestamp (3) with time zone,
	CONSTRAINT "geo_address_id" CHECK ("disbursement_resolution_geo_address"."id" = "disbursement_resolution_geo_address"."disbursement_id"),
	CONSTRAINT "beneficiary_notification_status_known" CHECK ("disbursement_resolution_geo_address"."beneficiary_notification_status" in ('NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR'))
);
--> statement-breakpoint
CREATE TABLE "envelope_allocations" (
	"disbursement_envelope_id" text NOT NULL,
	"kind" text NOT NULL,
	"allocated_to" text NOT NULL,
	"allocated_quantity" numeric NOT NULL,
	CONSTRAINT "envelope_allocations_disbursement_envelope_id_kind_allocated_to_pk" PRIMARY KEY("disbursement_envelope_id","kind","allocated_to"),
	CONSTRAINT "envelope_allocations_kind" CHECK ("envelope_allocations"."kind" in ('warehouse', 'agency'))
);
--> statement-breakpoint
CREATE TABLE "notification_logs" (
	"notification_id" text PRIMARY KEY NOT NULL,
	"notification_type" text NOT NULL,
	"disbursement_envelope_id" text NOT NULL,
	"recipient" text NOT NULL,
	"payload" text NOT NULL,
	"status" text DEFAULT 'PENDING' NOT NULL,
	"response" text,
	"error_message" text,
	"sent_at" timestamp (3) with time zone NOT NULL,
	"processed_at" timestamp (3) with time zone,
	CONSTRAINT "notification_logs_status" CHECK ("notification_logs"."status" in ('PENDING', 'SENT', 'PROCESSED', 'ERROR'))
);
--> statement-breakpoint
CREATE TABLE "actor_claims" (
	"job_id" text PRIMARY KEY NOT NULL,
	"queue" text NOT NULL,
	"delivery" integer NOT NULL,
	"process" integer NOT NULL,
	"claimed_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "actor_messages" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "actor_messages_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"machine" text NOT NULL,
	"actor_id" text,
	"parent_id" text,
	"event" jsonb NOT NULL,
	"deliver_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "actor_messages_addressee" CHECK (("actor_messages"."actor_id" is null) <> ("actor_messages"."parent_id" is null))
);
--> statement-breakpoint
CREATE TABLE "actor_parked" (
	"machine" text NOT NULL,
	"actor_id" text NOT NULL,
	"reason" text NOT NULL,
	"parked_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "actor_parked_machine_actor_id_pk" PRIMARY KEY("machine","actor_id")
);
--> statement-breakpoint
CREATE TABLE "actor_processes" (
	"number" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "actor_processes_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"role" text NOT NULL,
	"host" text NOT NULL,
	"pid" integer NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "actor_transitions" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "actor_transitions_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone NOT NULL,
	"machine" text NOT NULL,
	"actor_id" text NOT NULL,
	"correlation_id" text NOT NULL,
	"region" text NOT NULL,
	"event" text NOT NULL,
	"from_state" text NOT NULL,
	"to_state" text NOT NULL,
	"attempt" integer NOT NULL,
	"job_id" text,
	"due_at" timestamp (3) with time zone,
	"error_code" text,
	"error_message" text
);
--> statement-breakpoint
CREATE TABLE "account_statement_lobs" (
	"statement_id" text NOT NULL,
	"part" integer DEFAULT 0 NOT NULL,
	"statement_lob" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "account_statements" (
	"statement_id" text PRIMARY KEY NOT NULL,
	"statement_date" date,
	"account_number" text,
	"reference_number" text,
	"statement_number" text,
	"sequence_number" text,
	"statement_upload_timestamp" timestamp (3) with time zone NOT NULL,
	"number_of_entries" integer NOT NULL,
	"content_digest" text NOT NULL,
	"statement_process_status" text DEFAULT 'NOT_APPLICABLE' NOT NULL,
	"statement_process_timestamp" timestamp (3) with time zone,
	"statement_process_latest_error_code" text,
	"statement_process_attempts" integer DEFAULT 0 NOT NULL,
	"statement_process_job_id" text,
	"statement_process_due_at" timestamp (3) with time zone,
	CONSTRAINT "statement_process_status_known" CHECK ("account_statements"."statement_process_status" in ('NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR'))
);
--> statement-breakpoint
ALTER TABLE "disbursement_batch_control" ADD CONSTRAINT "disbursement_batch_control_disbursement_envelope_id_disbursement_envelopes_id_fk" FOREIGN KEY ("disbursement_envelope_id") REFERENCES "public"."disbursement_envelopes"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disbursement_resolution_financial_address" ADD CONSTRAINT "disbursement_resolution_financial_address_disbursement_id_disbursements_id_fk" FOREIGN KEY ("disbursement_id") REFERENCES "public"."disbursements"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disbursement_resolution_financial_address" ADD CONSTRAINT "disbursement_resolution_financial_address_disbursement_batch_control_id_disbursement_batch_control_id_fk" FOREIGN KEY ("disbursement_batch_control_id") REFERENCES "public"."disbursement_batch_control"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disbursements" ADD CONSTRAINT "disbursements_disbursement_batch_control_id_disbursement_batch_control_id_fk" FOREIGN KEY ("disbursement_batch_control_id") REFERENCES "public"."disbursement_batch_control"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD CONSTRAINT "envelope_batch_status_for_cash_disbursement_envelope_id_disbursement_envelopes_id_fk" FOREIGN KEY ("disbursement_envelope_id") REFERENCES "public"."disbursement_envelopes"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "envelope_control" ADD CONSTRAINT "envelope_control_disbursement_envelope_id_disbursement_envelopes_id_fk" FOREIGN KEY ("disbursement_envelope_id") REFERENCES "public"."disbursement_envelopes"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disbursement_batch_control_geo" ADD CONSTRAINT "disbursement_batch_control_geo_disbursement_batch_control_id_disbursement_batch_control_id_fk" FOREIGN KEY ("disbursement_batch_control_id") REFERENCES "public"."disbursement_batch_control"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disbursement_batch_control_geo_attributes" ADD CONSTRAINT "disbursement_batch_control_geo_attributes_id_disbursement_batch_control_geo_id_fk" FOREIGN KEY ("id") REFERENCES "public"."disbursement_batch_control_geo"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disbursement_resolution_geo_address" ADD CONSTRAINT "disbursement_resolution_geo_address_disbursement_id_disbursements_id_fk" FOREIGN KEY ("disbursement_id") REFERENCES "public"."disbursements"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disbursement_resolution_geo_address" ADD CONSTRAINT "disbursement_resolution_geo_address_disbursement_batch_control_geo_id_disbursement_batch_control_geo_id_fk" FOREIGN KEY ("disbursement_batch_control_geo_id") REFERENCES "public"."disbursement_batch_control_geo"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_statement_lobs" ADD CONSTRAINT "account_statement_lobs_statement_id_account_statements_statement_id_fk" FOREIGN KEY ("statement_id") REFERENCES "public"."account_statements"("statement_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "disbursement_batch_control_envelope" ON "disbursement_batch_control" USING btree ("disbursement_envelope_id");--> statement-breakpoint
CREATE INDEX "fa_resolution_due" ON "disbursement_batch_control" USING btree ("fa_resolution_due_at") WHERE "disbursement_batch_control"."fa_resolution_status" = 'PENDING';--> statement-breakpoint
CREATE INDEX "fa_resolution_in_progress" ON "disbursement_batch_control" USING btree ("fa_resolution_timestamp") WHERE "disbursement_batch_control"."fa_resolution_status" = 'PROCESSING';--> statement-breakpoint
CREATE INDEX "geo_resolution_due" ON "disbursement_batch_control" USING btree ("geo_resolution_due_at") WHERE "disbursement_batch_control"."geo_resolution_status" = 'PENDING';--> statement-breakpoint
CREATE INDEX "geo_resolution_in_progress" ON "disbursement_batch_control" USING btree ("geo_resolution_timestamp") WHERE "disbursement_batch_control"."geo_resolution_status" = 'PROCESSING';--> statement-breakpoint
CREATE INDEX "warehouse_allocation_due" ON "disbursement_batch_control" USING btree ("warehouse_allocation_due_at") WHERE "disbursement_batch_control"."warehouse_allocation_status" = 'PENDING';--> statement-breakpoint
CREATE INDEX "warehouse_allocation_in_progress" ON "disbursement_batch_control" USING btree ("warehouse_allocation_timestamp") WHERE "disbursement_batch_control"."warehouse_allocation_status" = 'PROCESSING';--> statement-breakpoint
CREATE INDEX "agency_allocation_due" ON "disbursement_batch_control" USING btree ("agency_allocation_due_at") WHERE "disbursement_batch_control"."agency_allocation_status" = 'PENDING';--> statement-breakpoint
CREATE INDEX "agency_allocation_in_progress" ON "disbursement_batch_control" USING btree ("agency_allocation_timestamp") WHERE "disbursement_batch_control"."agency_allocation_status" = 'PROCESSING';--> statement-breakpoint
CREATE INDEX "sponsor_bank_dispatch_due" ON "disbursement_batch_control" USING btree ("sponsor_bank_dispatch_due_at") WHERE "disbursement_batch_control"."sponsor_bank_dispatch_status" = 'PENDING';--> statement-breakpoint
CREATE INDEX "sponsor_bank_dispatch_in_progress" ON "disbursement_batch_control" USING btree ("sponsor_bank_dispatch_timestamp") WHERE "disbursement_batch_control"."sponsor_bank_dispatch_status" = 'PROCESSING';--> statement-breakpoint
CREATE INDEX "disbursement_error_recons_reconciliation" ON "disbursement_error_recons" USING btree ("reconciliation_id");--> statement-breakpoint
CREATE INDEX "disbursement_error_recons_statement" ON "disbursement_error_recons" USING btree ("statement_id");--> statement-breakpoint
CREATE INDEX "disbursement_recons_batch" ON "disbursement_recons" USING btree ("disbursement_batch_control_id");--> statement-breakpoint
CREATE INDEX "disbursement_recons_statement" ON "disbursement_recons" USING btree ("remittance_statement_id");--> statement-breakpoint
CREATE INDEX "financial_address_batch" ON "disbursement_resolution_financial_address" USING btree ("disbursement_batch_control_id");--> statement-breakpoint
CREATE INDEX "disbursements_batch" ON "disbursements" USING btree ("disbursement_batch_control_id");--> statement-breakpoint
CREATE INDEX "disbursement_envelopes_schedule" ON "disbursement_envelopes" USING btree ("disbursement_schedule_date");--> statement-breakpoint
CREATE INDEX "funds_available_due" ON "envelope_batch_status_for_cash" USING btree ("funds_available_due_at") WHERE "envelope_batch_status_for_cash"."funds_available_with_bank" in ('PENDING_CHECK', 'FUNDS_NOT_AVAILABLE');--> statement-breakpoint
CREATE INDEX "funds_available_in_progress" ON "envelope_batch_status_for_cash" USING btree ("funds_available_latest_timestamp") WHERE "envelope_batch_status_for_cash"."funds_available_with_bank" = 'CHECK_IN_PROGRESS';--> statement-breakpoint
CREATE INDEX "funds_blocked_due" ON "envelope_batch_status_for_cash" USING btree ("funds_blocked_due_at") WHERE "envelope_batch_status_for_cash"."funds_blocked_with_bank" in ('PENDING_CHECK', 'FUNDS_BLOCK_FAILURE');--> statement-breakpoint
CREATE INDEX "funds_blocked_in_progress" ON "envelope_batch_status_for_cash" USING btree ("funds_blocked_latest_timestamp") WHERE "envelope_batch_status_for_cash"."funds_blocked_with_bank" = 'CHECK_IN_PROGRESS';--> statement-breakpoint
CREATE UNIQUE INDEX "disbursement_batch_control_geo_zone" ON "disbursement_batch_control_geo" USING btree ("disbursement_batch_control_id","administrative_zone_id_large","administrative_zone_id_small");--> statement-breakpoint
CREATE INDEX "disbursement_batch_control_geo_envelope" ON "disbursement_batch_control_geo" USING btree ("disbursement_envelope_id");--> statement-breakpoint
CREATE INDEX "warehouse_notification_due" ON "disbursement_batch_control_geo" USING btree ("warehouse_notification_due_at") WHERE "disbursement_batch_control_geo"."warehouse_notification_status" = 'PENDING';--> statement-breakpoint
CREATE INDEX "warehouse_notification_in_progress" ON "disbursement_batch_control_geo" USING btree ("warehouse_notification_timestamp") WHERE "disbursement_batch_control_geo"."warehouse_notification_status" = 'PROCESSING';--> statement-breakpoint
CREATE INDEX "agency_notification_due" ON "disbursement_batch_control_geo" USING btree ("agency_notification_due_at") WHERE "disbursement_batch_control_geo"."agency_notification_status" = 'PENDING';--> statement-breakpoint
CREATE INDEX "agency_notification_in_progress" ON "disbursement_batch_control_geo" USING btree ("agency_notification_timestamp") WHERE "disbursement_batch_control_geo"."agency_notification_status" = 'PROCESSING';--> statement-breakpoint
CREATE INDEX "geo_address_batch" ON "disbursement_resolution_geo_address" USING btree ("disbursement_batch_control_id");--> statement-breakpoint
CREATE INDEX "geo_address_geo" ON "disbursement_resolution_geo_address" USING btree ("disbursement_batch_control_geo_id");--> statement-breakpoint
CREATE INDEX "beneficiary_notification_due" ON "disbursement_resolution_geo_address" USING btree ("beneficiary_notification_due_at") WHERE "disbursement_resolution_geo_address"."beneficiary_notification_status" = 'PENDING';--> statement-breakpoint
CREATE INDEX "beneficiary_notification_in_progress" ON "disbursement_resolution_geo_address" USING btree ("beneficiary_notification_timestamp") WHERE "disbursement_resolution_geo_address"."beneficiary_notification_status" = 'PROCESSING';--> statement-breakpoint
CREATE INDEX "notification_logs_envelope" ON "notification_logs" USING btree ("disbursement_envelope_id");--> statement-breakpoint
CREATE INDEX "actor_claims_process" ON "actor_claims" USING btree ("process");--> statement-breakpoint
CREATE INDEX "actor_messages_deliver" ON "actor_messages" USING btree ("machine","deliver_at","seq");--> statement-breakpoint
CREATE INDEX "actor_messages_actor" ON "actor_messages" USING btree ("machine","actor_id","seq");--> statement-breakpoint
CREATE INDEX "actor_messages_broadcast" ON "actor_messages" USING btree ("machine","seq") WHERE "actor_messages"."actor_id" is null;--> statement-breakpoint
CREATE INDEX "actor_transitions_actor" ON "actor_transitions" USING btree ("machine","actor_id","seq");--> statement-breakpoint
CREATE INDEX "actor_transitions_correlation" ON "actor_transitions" USING btree ("correlation_id","seq");--> statement-breakpoint
CREATE UNIQUE INDEX "account_statement_lobs_part" ON "account_statement_lobs" USING btree ("statement_id","part");--> statement-breakpoint
CREATE UNIQUE INDEX "account_statements_content" ON "account_statements" USING btree ("content_digest");--> statement-breakpoint
CREATE INDEX "account_statements_account" ON "account_statements" USING btree ("account_number");--> statement-breakpoint
CREATE INDEX "statement_process_due" ON "account_statements" USING btree ("statement_process_due_at") WHERE "account_statements"."statement_process_status" = 'PENDING';--> statement-breakpoint
CREATE INDEX "statement_process_in_progress" ON "account_statements" USING btree ("statement_process_timestamp") WHERE "account_statements"."statement_process_status" = 'PROCESSING';