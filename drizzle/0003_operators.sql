CREATE TABLE "operator_actions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "operator_actions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone NOT NULL,
	"operator_id" text NOT NULL,
	"operator_name" text NOT NULL,
	"role" text NOT NULL,
	"action" text NOT NULL,
	"target" jsonb NOT NULL,
	"reason" text NOT NULL,
	"accepted" integer NOT NULL,
	"refused" integer NOT NULL,
	"problem" text
);
--> statement-breakpoint
CREATE TABLE "operator_tickets" (
	"digest" text PRIMARY KEY NOT NULL,
	"operator_id" text NOT NULL,
	"operator_name" text NOT NULL,
	"role" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "operator_tokens" (
	"name" text PRIMARY KEY NOT NULL,
	"role" text NOT NULL,
	"digest" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "operator_tokens_digest_unique" UNIQUE("digest"),
	CONSTRAINT "operator_tokens_role" CHECK ("operator_tokens"."role" in ('viewer', 'operator', 'payer'))
);
--> statement-breakpoint
CREATE TABLE "actor_counts" (
	"correlation_id" text NOT NULL,
	"machine" text NOT NULL,
	"region" text NOT NULL,
	"state" text NOT NULL,
	"count" bigint NOT NULL,
	CONSTRAINT "actor_counts_correlation_id_machine_region_state_pk" PRIMARY KEY("correlation_id","machine","region","state")
);
--> statement-breakpoint
CREATE TABLE "actor_counts_position" (
	"one" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"seq" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "actor_flow" (
	"minute" timestamp (3) with time zone NOT NULL,
	"machine" text NOT NULL,
	"region" text NOT NULL,
	"state" text NOT NULL,
	"count" bigint NOT NULL,
	CONSTRAINT "actor_flow_minute_machine_region_state_pk" PRIMARY KEY("minute","machine","region","state")
);
--> statement-breakpoint
CREATE TABLE "actor_pauses" (
	"stage" text PRIMARY KEY NOT NULL,
	"paused_at" timestamp (3) with time zone NOT NULL,
	"by" text NOT NULL,
	"reason" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "actor_ticks" (
	"stage" text PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"dispatched" integer NOT NULL,
	"stale" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "actor_totals" (
	"machine" text NOT NULL,
	"region" text NOT NULL,
	"state" text NOT NULL,
	"count" bigint NOT NULL,
	CONSTRAINT "actor_totals_machine_region_state_pk" PRIMARY KEY("machine","region","state")
);
--> statement-breakpoint
DROP INDEX "disbursement_error_recons_statement";--> statement-breakpoint
DROP INDEX "disbursement_recons_statement";--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD COLUMN "quantity_shipped" numeric DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD COLUMN "quantity_reconciled" numeric DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD COLUMN "quantity_reversed" numeric DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "actor_processes" ADD COLUMN "report" jsonb;--> statement-breakpoint
ALTER TABLE "actor_processes" ADD COLUMN "reported_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "actor_transitions" ADD COLUMN "by" text;--> statement-breakpoint
ALTER TABLE "actor_transitions" ADD COLUMN "reason" text;--> statement-breakpoint
CREATE INDEX "operator_actions_at" ON "operator_actions" USING btree ("at");--> statement-breakpoint
CREATE INDEX "operator_actions_operator" ON "operator_actions" USING btree ("operator_name","id");--> statement-breakpoint
CREATE INDEX "operator_actions_operator_id" ON "operator_actions" USING btree ("operator_id","id");--> statement-breakpoint
CREATE INDEX "operator_actions_action" ON "operator_actions" USING btree ("action","id");--> statement-breakpoint
CREATE INDEX "operator_tickets_expires" ON "operator_tickets" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "actor_counts_in_error" ON "actor_counts" USING btree ("correlation_id","machine") WHERE "actor_counts"."state" = 'ERROR';--> statement-breakpoint
CREATE INDEX "fa_resolution_in_error" ON "disbursement_batch_control" USING btree ("fa_resolution_latest_error_code","fa_resolution_timestamp") WHERE "disbursement_batch_control"."fa_resolution_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "geo_resolution_in_error" ON "disbursement_batch_control" USING btree ("geo_resolution_latest_error_code","geo_resolution_timestamp") WHERE "disbursement_batch_control"."geo_resolution_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "warehouse_allocation_in_error" ON "disbursement_batch_control" USING btree ("warehouse_allocation_latest_error_code","warehouse_allocation_timestamp") WHERE "disbursement_batch_control"."warehouse_allocation_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "agency_allocation_in_error" ON "disbursement_batch_control" USING btree ("agency_allocation_latest_error_code","agency_allocation_timestamp") WHERE "disbursement_batch_control"."agency_allocation_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "sponsor_bank_dispatch_in_error" ON "disbursement_batch_control" USING btree ("sponsor_bank_dispatch_latest_error_code","sponsor_bank_dispatch_timestamp") WHERE "disbursement_batch_control"."sponsor_bank_dispatch_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "disbursement_error_recons_reason" ON "disbursement_error_recons" USING btree ("error_reason","id");--> statement-breakpoint
CREATE INDEX "disbursement_error_recons_envelope" ON "disbursement_error_recons" USING btree ("disbursement_envelope_id","id");--> statement-breakpoint
CREATE INDEX "disbursement_recons_reversed" ON "disbursement_recons" USING btree ("reversal_statement_id","reconciliation_id") WHERE "disbursement_recons"."reversal_found";--> statement-breakpoint
CREATE INDEX "disbursement_recons_reversed_envelope" ON "disbursement_recons" USING btree ("disbursement_envelope_id","reversal_statement_id","reconciliation_id") WHERE "disbursement_recons"."reversal_found";--> statement-breakpoint
CREATE INDEX "disbursements_left_out" ON "disbursements" USING btree ("disbursement_envelope_id") WHERE "disbursements"."left_out_reason" is not null;--> statement-breakpoint
CREATE INDEX "disbursement_envelopes_received" ON "disbursement_envelopes" USING btree ("receipt_time_stamp","id");--> statement-breakpoint
CREATE INDEX "funds_available_in_error" ON "envelope_batch_status_for_cash" USING btree ("funds_available_latest_error_code","funds_available_latest_timestamp") WHERE "envelope_batch_status_for_cash"."funds_available_with_bank" = 'ERROR';--> statement-breakpoint
CREATE INDEX "funds_blocked_in_error" ON "envelope_batch_status_for_cash" USING btree ("funds_blocked_latest_error_code","funds_blocked_latest_timestamp") WHERE "envelope_batch_status_for_cash"."funds_blocked_with_bank" = 'ERROR';--> statement-breakpoint
CREATE INDEX "funds_released_in_error" ON "envelope_batch_status_for_cash" USING btree ("funds_released_latest_error_code","funds_released_timestamp") WHERE "envelope_batch_status_for_cash"."funds_released_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "warehouse_notification_in_error" ON "disbursement_batch_control_geo" USING btree ("warehouse_notification_latest_error_code","warehouse_notification_timestamp") WHERE "disbursement_batch_control_geo"."warehouse_notification_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "agency_notification_in_error" ON "disbursement_batch_control_geo" USING btree ("agency_notification_latest_error_code","agency_notification_timestamp") WHERE "disbursement_batch_control_geo"."agency_notification_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "warehouse_notification_in_error_of_envelope" ON "disbursement_batch_control_geo" USING btree ("disbursement_envelope_id","warehouse_notification_latest_error_code","warehouse_notification_timestamp") WHERE "disbursement_batch_control_geo"."warehouse_notification_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "agency_notification_in_error_of_envelope" ON "disbursement_batch_control_geo" USING btree ("disbursement_envelope_id","agency_notification_latest_error_code","agency_notification_timestamp") WHERE "disbursement_batch_control_geo"."agency_notification_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "beneficiary_notification_in_error" ON "disbursement_resolution_geo_address" USING btree ("beneficiary_notification_latest_error_code","beneficiary_notification_timestamp") WHERE "disbursement_resolution_geo_address"."beneficiary_notification_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "beneficiary_notification_in_error_of_envelope" ON "disbursement_resolution_geo_address" USING btree ("disbursement_envelope_id","beneficiary_notification_latest_error_code","beneficiary_notification_timestamp") WHERE "disbursement_resolution_geo_address"."beneficiary_notification_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "account_statements_uploaded" ON "account_statements" USING btree ("statement_upload_timestamp","statement_id");--> statement-breakpoint
CREATE INDEX "statement_process_in_error" ON "account_statements" USING btree ("statement_process_latest_error_code","statement_process_timestamp") WHERE "account_statements"."statement_process_status" = 'ERROR';--> statement-breakpoint
CREATE INDEX "disbursement_error_recons_statement" ON "disbursement_error_recons" USING btree ("statement_id","id");--> statement-breakpoint
CREATE INDEX "disbursement_recons_statement" ON "disbursement_recons" USING btree ("remittance_statement_id","remittance_amount");--> statement-breakpoint
-- What has been paid and reconciled before: the sums are moved by events from now on, and begin with what the tables say.
UPDATE "envelope_batch_status_for_cash" c SET
	"quantity_shipped" = s.shipped,
	"quantity_reconciled" = s.reconciled,
	"quantity_reversed" = s.reversed
FROM (
	SELECT id, sum(shipped) AS shipped, sum(reconciled) AS reconciled, sum(reversed) AS reversed FROM (
		SELECT b.disbursement_envelope_id AS id, d.disbursement_quantity AS shipped, 0 AS reconciled, 0 AS reversed
		FROM disbursement_batch_control b JOIN disbursements d ON d.disbursement_batch_control_id = b.id
		WHERE b.sponsor_bank_dispatch_status = 'PROCESSED' AND b.benefit_type = 'CASH_DIGITAL'
			AND d.cancellation_status = 'NOT_CANCELLED' AND d.left_out_reason IS NULL
		UNION ALL
		-- Of physical cash each zone's agency is paid once.
		SELECT b.disbursement_envelope_id, g.total_quantity, 0, 0
		FROM disbursement_batch_control b JOIN disbursement_batch_control_geo g ON g.disbursement_batch_control_id = b.id
		WHERE b.sponsor_bank_dispatch_status = 'PROCESSED' AND b.benefit_type = 'CASH_PHYSICAL'
			AND EXISTS (
				SELECT FROM disbursement_resolution_geo_address a JOIN disbursements d ON d.id = a.id
				WHERE a.disbursement_batch_control_geo_id = g.id AND d.left_out_reason IS NULL)
		UNION ALL
		SELECT disbursement_envelope_id, 0, remittance_amount, CASE WHEN reversal_found THEN remittance_amount ELSE 0 END
		FROM disbursement_recons
	) paid GROUP BY id
) s WHERE c.disbursement_envelope_id = s.id;
