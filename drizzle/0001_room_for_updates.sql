-- Allocation updates every address of a batch twice; with room in their pages the new versions stay there, and no index
-- has to learn of them.
ALTER TABLE "disbursement_resolution_geo_address" SET (fillfactor = 60);--> statement-breakpoint
ALTER TABLE "disbursement_batch_control_geo" SET (fillfactor = 60);
