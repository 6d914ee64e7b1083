-- One Google notification after the other, each new: another channel, and a message number of its own.
local targets = {}
local sent = 0

function init(args)
  for line in io.lines(args[1]) do
    local id, token, resource = line:match("(%S+) (%S+) (%S+)")
    targets[#targets + 1] = { id = id, token = token, resource = resource }
  end
  sent = tonumber(args[2])
end

function request()
  sent = sent + 1
  local target = targets[(sent % #targets) + 1]
  return wrk.format("POST", "/api/webhooks/calendar/google", {
    ["X-Goog-Channel-ID"] = target.id,
    ["X-Goog-Channel-Token"] = target.token,
    ["X-Goog-Resource-ID"] = target.resource,
    ["X-Goog-Resource-State"] = "exists",
    ["X-Goog-Message-Number"] = tostring(sent),
    ["Content-Length"] = "0",
  })
end
