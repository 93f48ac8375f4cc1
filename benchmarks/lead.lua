-- For wrk: every request is another lead, as large as Thumbtack's own sample.
local thread_count = 0
function setup(thread)
  thread:set("number", thread_count)
  thread_count = thread_count + 1
end

local template = [[{"leadID":"%s","createTimestamp":"1498760294","request":{"requestID":"2%s","category":"Interior Painting","categoryID":"122681972262289742","title":"Interior Painting","description":"There is a stain on the door that needs to be touched up.","schedule":"Date: Tue, May 05 2020\nTime: 6:00 PM\nLength: 3.5 hours","location":{"address1":"1 Example Street","address2":"","city":"Palo Alto","state":"CA","zipCode":"94301"},"travelPreferences":"Professional must travel to my address.","details":[{"question":"Type of property","answer":"Home"},{"question":"Number of rooms","answer":"4 rooms"}],"attachments":[]},"customer":{"customerID":"3%s","name":"Ada Example","phone":"4155550100"},"business":{"businessID":"286845156044809661","name":"Example Painting"},"leadType":"INSTANT_BOOK","leadPrice":null,"chargeState":null}]]

local count = 0
local run
function init(args)
  run = args[1] or "0"
end

function request()
  count = count + 1
  local id = string.format("%s%02d%09d", run, number, count)
  local body = string.format(template, id, id, id)
  return wrk.format("POST", "/v1/lead", {
    ["Content-Type"] = "application/json",
    ["Authorization"] = "Basic YmVuY2g6YmVuY2g=",
  }, body)
end

function done(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors))
end
