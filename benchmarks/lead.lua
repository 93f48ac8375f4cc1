-- For wrk: every request is another lead, as large as Thumbtack's own sample. Arguments: a number, the webhook's path.
local thread_count = 0
function setup(thread)
  thread:set("number", thread_count)
  thread_count = thread_count + 1
end

local template = [[{"leadID":"%s","createTimestamp":"1498760294","request":{"requestID":"2%s","category":"Interior Painting","categoryID":"122681972262289742","title":"Interior Painting","description":"There is a stain on the door that needs to be touched up.","schedule":"Date: Tue, May 05 2020\nTime: 6:00 PM\nLength: 3.5 hours","location":{"address1":"1 Example Street","address2":"","city":"Palo Alto","state":"CA","zipCode":"94301"},"travelPreferences":"Professional must travel to my address.","details":[{"question":"Type of property","answer":"Home"},{"question":"Number of rooms","answer":"4 rooms"}],"attachments":[]},"customer":{"customerID":"3%s","name":"Ada Example","phone":"4155550100"},"business":{"businessID":"286845156044809661","name":"Example Painting"},"leadType":"INSTANT_BOOK","leadPrice":null,"chargeState":null}]]

local v4_template = [[{"event":{"eventType":"NegotiationCreatedV4","description":"New Negotiation created","webhookID":"590298304139583503","triggeredAt":"2026-09-23T17:18:06Z"},"data":{"negotiationID":"%s","createdAt":"2026-09-23T17:18:01Z","customer":{"customerID":"3%s","firstName":"John","lastName":"Doe","phone":"650-555-0123"},"business":{"businessID":"590297085345701895","name":"Tim's Painting Business","imageURL":"https://production-next-images-cdn.thumbtack.com/i/1/width/1024.png","phoneNumber":"+18395550123","accessCode":"1234567"},"request":{"requestID":"2%s","customerID":"590299344770162703","contactedBusinesses":[{"businessID":"590297085345701895","name":"Tim's Painting Business","imageURL":"https://production-next-images-cdn.thumbtack.com/i/1/width/1024.png","phoneNumber":"+18395550123","negotiationID":"590299344770662410"}],"description":"Two bedrooms & a hallway\n<b>not html</b>","category":{"categoryID":"122681972262289742","name":"Interior Painting"},"proposedTimes":[{"start":"2026-09-26T13:00:00Z","end":"2026-09-26T16:00:00Z"},{"start":"2026-09-27T13:00:00Z","end":"2026-09-27T16:00:00Z"}],"booking":{"start":"2026-09-26T13:00:00Z","duration":90},"location":{"address1":"101 Alma Street","address2":"","city":"Palo Alto","state":"CA","zipCode":"94301"},"travelPreferences":["CustomerTravelToProvider","ProviderTravelToCustomer","Remote"],"details":[{"question":"Type of property","answer":"Home"},{"question":"Number of rooms","answer":"4 rooms"}],"attachments":[{"fileName":"door.jpg","fileSize":1139,"mimeType":"image/jpeg","url":"https://www.thumbtack.com/attachment/b180b7d3bf981dd2896732f979f44fbf45fc4224/door.jpg","description":"my stain"}]},"estimate":{"type":"PerUnit","pricePerUnit":"1234.56","unitQuantity":2,"unitName":"room","total":"$2,469.12"},"status":"Open","leadPrice":"$1,025.00","leadPriceBreakdown":{"subtotal":"$949.07","salesTax":"$75.93"},"chargeState":"Pending","requestReviewLink":"https://www.thumbtack.com/reviews/example","refundRequestLink":"https://www.thumbtack.com/refund/example"}}]]

local count = 0
local run, path
function init(args)
  run = args[1] or "0"
  path = args[2] or "/v1/lead"
  if path ~= "/v1/lead" then template = v4_template end
end

function request()
  count = count + 1
  local id = string.format("%s%02d%09d", run, number, count)
  local body = string.format(template, id, id, id)
  return wrk.format("POST", path, {
    ["Content-Type"] = "application/json",
    ["Authorization"] = "Basic YmVuY2g6YmVuY2g=",
  }, body)
end

function done(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors))
end
