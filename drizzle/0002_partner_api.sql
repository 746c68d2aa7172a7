-- First, so that only new disbursements wait for it: with many millions of them it takes minutes.
CREATE INDEX "disbursements_beneficiary" ON "disbursements" USING btree ("beneficiary_id","receipt_time_stamp");
--> statement-breakpoint
CREATE TABLE "partner_requests" (
	"sender" text NOT NULL,
	"path" text NOT NULL,
	"request_id" text NOT NULL,
	"digest" text NOT NULL,
	"answer" text NOT NULL,
	"answered_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "partner_requests_sender_path_request_id_digest_pk" PRIMARY KEY("sender","path","request_id","digest")
);
--> statement-breakpoint
CREATE TABLE "partner_signed_requests" (
	"digest" text PRIMARY KEY NOT NULL,
	"path" text NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD COLUMN "funds_released_status" text DEFAULT 'NOT_APPLICABLE' NOT NULL;
--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD COLUMN "funds_released_timestamp" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD COLUMN "funds_released_latest_error_code" text;
--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD COLUMN "funds_released_attempts" integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD COLUMN "funds_released_job_id" text;
--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD COLUMN "funds_released_due_at" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD COLUMN "funds_released_reference_number" text;
--> statement-breakpoint
CREATE INDEX "partner_requests_answered" ON "partner_requests" USING btree ("answered_at");
--> statement-breakpoint
CREATE INDEX "partner_signed_requests_received" ON "partner_signed_requests" USING btree ("received_at");
--> statement-breakpoint
CREATE INDEX "funds_released_due" ON "envelope_batch_status_for_cash" USING btree ("funds_released_due_at") WHERE "envelope_batch_status_for_cash"."funds_released_status" = 'PENDING';
--> statement-breakpoint
CREATE INDEX "funds_released_in_progress" ON "envelope_batch_status_for_cash" USING btree ("funds_released_timestamp") WHERE "envelope_batch_status_for_cash"."funds_released_status" = 'PROCESSING';
--> statement-breakpoint
ALTER TABLE "envelope_batch_status_for_cash" ADD CONSTRAINT "funds_released_status_known" CHECK ("envelope_batch_status_for_cash"."funds_released_status" in ('NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR'));
