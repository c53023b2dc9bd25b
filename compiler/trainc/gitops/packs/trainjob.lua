-- Health of a TrainJob (trainer.kubeflow.org).
local running = "Progressing"
local queue = "kueue.x-k8s.io/queue-name"
local hs = { status = "Progressing", message = "waiting for the TrainJob controller" }
local status = obj.status or {}

for _, c in ipairs(status.conditions or {}) do
  if c.status == "True" and c.type == "Failed" then
    return { status = "Degraded", message = c.message ~= "" and c.message or "failed" }
  end
  if c.status == "True" and c.type == "Complete" then
    return { status = "Healthy", message = c.message ~= "" and c.message or "complete" }
  end
end

if obj.spec ~= nil and obj.spec.suspend == true then
  local labels = obj.metadata ~= nil and obj.metadata.labels or nil
  if labels ~= nil and labels[queue] ~= nil then
    -- Waiting for quota may take days; what is queued must not hold up a sync wave.
    return { status = "Healthy", message = "queued by Kueue in " .. labels[queue] }
  end
  return { status = "Suspended", message = "suspended" }
end

for _, job in ipairs(status.jobsStatus or {}) do
  if (job.ready or 0) + (job.active or 0) + (job.succeeded or 0) > 0 then
    hs.status = running
    hs.message = "running"
  end
end
local progress = status.trainerStatus and status.trainerStatus.progressPercentage
if progress ~= nil then
  hs.message = hs.message .. ": " .. progress .. " %"
end
return hs
