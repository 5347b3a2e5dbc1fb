package demo

import "onward"

// flag says what is particular to a trade.
type flag int

const (
	hazardous   flag = 1 << iota // not for people under 18
	adults                       // adults only by custom or law, though not hazardous
	remote                       // may be done from home
	english                      // English is essential
	someEnglish                  // English helps, and is asked for where visitors from abroad are
	officeDay                    // works the hours of an office whatever the industry
	schooled                     // asks for a school certificate
	apprentices                  // taught to apprentices
	atSea                        // only on the coast
	plain                        // its titles take no additions
)

// job is a trade within an industry: how often it is looked for, what it pays for a week of 48 hours in a month (thousands of
// pesos, 2026, outside the border zone), how openings are called, and what they ask for.
type job struct {
	industry   industryKey
	occupation string
	weight     float64
	low, high  float64
	es, en     string // titles, as many in one as in the other
	papers     []onward.DocumentKind
	flags      flag
}

var (
	licence      = []onward.DocumentKind{onward.DrivingLicence}
	heavyLicence = []onward.DocumentKind{onward.HeavyVehicleLicence}
	truckPapers  = []onward.DocumentKind{onward.HeavyVehicleLicence, onward.HealthCard}
	tradePaper   = []onward.DocumentKind{onward.TradeCertificate}
	foodPaper    = []onward.DocumentKind{onward.FoodHandlingCard}
	healthPaper  = []onward.DocumentKind{onward.HealthCard}
	cleanRecord  = []onward.DocumentKind{onward.CriminalRecordCheck}
	records      = []onward.DocumentKind{onward.CriminalRecordCheck, onward.ProofOfAddress}
)

var jobs = []job{
	{building, "bricklayer", 60, 12, 18.5, "Albañil|Oficial albañil|Albañil de obra|Media cuchara", "Bricklayer|Skilled bricklayer|Site bricklayer|Bricklayer, second grade", nil, hazardous | apprentices},
	{building, "building-labourer", 50, 9.7, 12, "Ayudante de albañil|Peón de obra|Ayudante general de obra", "Bricklayer's helper|Building labourer|General site helper", nil, hazardous},
	{building, "house-builder", 10, 14, 22, "Maestro de obra|Constructor de vivienda", "Master builder|House builder", licence, hazardous},
	{building, "concrete-worker", 14, 11, 15, "Colador de concreto|Oficial de concreto", "Concrete worker|Concrete finisher", nil, hazardous},
	{building, "formwork-carpenter", 14, 13, 18, "Carpintero de obra negra|Cimbrador", "Formwork carpenter|Shuttering carpenter", nil, hazardous},
	{building, "steel-fixer", 16, 13, 18, "Fierrero|Armador de acero", "Steel fixer|Rebar worker", nil, hazardous},
	{building, "carpenter", 11, 12, 17, "Carpintero de obra|Carpintero instalador", "Building carpenter|Fitting carpenter", nil, apprentices},
	{building, "roofer", 14, 12, 18, "Techador|Instalador de techos de lámina|Colocador de teja", "Roofer|Sheet roof installer|Roof tiler", nil, hazardous | apprentices},
	{building, "tiler", 15, 12, 19, "Azulejero|Colocador de pisos y azulejos", "Tiler|Floor and wall tiler", nil, apprentices},
	{building, "plasterer", 13, 11.5, 17, "Yesero|Aplanador", "Plasterer|Renderer", nil, 0},
	{building, "drywall-installer", 16, 12, 19, "Tablaroquero|Instalador de tablaroca y plafones", "Drywall installer|Drywall and ceiling installer", nil, apprentices},
	{building, "insulation-installer", 12, 11, 16, "Impermeabilizador|Aplicador de impermeabilizante", "Waterproofer|Roof waterproofing worker", nil, hazardous},
	{building, "glazier", 7, 11, 16, "Aluminiero y vidriero|Instalador de cancelería", "Glazier and aluminium fitter|Window fitter", nil, 0},
	{building, "plumber", 20, 12, 18, "Plomero|Plomero de obra|Oficial plomero", "Plumber|Site plumber|Skilled plumber", nil, apprentices},
	{building, "building-painter", 20, 10.5, 15, "Pintor de casas|Pintor de obra", "House painter|Site painter", nil, apprentices},
	{building, "building-electrician", 22, 12.5, 20, "Electricista de obra|Oficial electricista|Electricista residencial", "Building electrician|Skilled electrician|House electrician", nil, hazardous | apprentices},
	{building, "scaffolder", 5, 11, 15, "Andamiero|Montador de andamios", "Scaffolder|Scaffold erector", nil, hazardous},
	{building, "steel-erector", 8, 13, 20, "Montador de estructuras metálicas|Montador de naves", "Steel erector|Warehouse frame erector", nil, hazardous},
	{building, "welder", 16, 13, 21, "Soldador de estructuras|Soldador", "Structural welder|Welder", nil, hazardous | apprentices},
	{building, "road-worker", 8, 10, 13, "Peón de bacheo y asfalto|Trabajador de obras viales", "Asphalt and pothole worker|Road labourer", nil, hazardous},
	{building, "paver", 6, 10.5, 14, "Adoquinador|Colocador de guarniciones", "Paver|Kerb layer", nil, hazardous},
	{building, "earthmoving-operator", 9, 15, 24, "Operador de retroexcavadora|Operador de maquinaria pesada", "Backhoe operator|Earthmoving operator", heavyLicence, hazardous},
	{building, "crane-operator", 3, 18, 28, "Operador de grúa", "Crane operator", append(heavyLicence[:1:1], onward.TradeCertificate), hazardous},
	{building, "construction-supervisor", 8, 18, 30, "Cabo de obra|Sobrestante|Residente auxiliar de obra", "Site foreman|Site supervisor|Assistant site manager", licence, adults},
	{building, "precast-block-maker", 5, 10, 13, "Bloquero|Fabricante de prefabricados", "Block maker|Precast maker", nil, hazardous},
	{building, "building-maintenance-worker", 20, 10, 15, "Técnico de mantenimiento de edificios|Mantenimiento general", "Building maintenance worker|General maintenance", nil, apprentices},

	{assembly, "electronics-assembler", 50, 9.7, 12.5, "Operador de ensamble electrónico|Ensamblador de tarjetas|Operador de producción electrónica", "Electronics assembler|Circuit board assembler|Electronics line operator", nil, apprentices},
	{assembly, "product-assembler", 25, 9.7, 12, "Ensamblador|Operador de ensamble", "Assembler|Assembly operator", nil, 0},
	{assembly, "production-worker", 45, 9.6, 12, "Operador de producción|Ayudante general de planta", "Production operator|General factory helper", nil, 0},
	{assembly, "quality-inspector", 16, 11, 15, "Inspector de calidad|Auditor de calidad en línea", "Quality inspector|Line quality auditor", nil, schooled | someEnglish},
	{assembly, "plastic-machine-operator", 12, 10.5, 14, "Operador de inyección de plástico|Moldeador de plástico", "Plastic injection operator|Plastic moulder", nil, hazardous},
	{assembly, "packing-machine-operator", 10, 10, 13, "Operador de empaque|Empacador de línea", "Packing machine operator|Line packer", nil, 0},
	{assembly, "cnc-operator", 11, 14, 22, "Operador CNC|Maquinista CNC", "CNC operator|CNC machinist", nil, hazardous | schooled | apprentices},
	{assembly, "industrial-maintenance-mechanic", 13, 15, 24, "Mecánico de mantenimiento industrial|Técnico de mantenimiento", "Industrial maintenance mechanic|Maintenance technician", nil, hazardous | schooled | apprentices},
	{assembly, "industrial-electrician", 9, 15, 23, "Electricista industrial|Técnico electricista de planta", "Industrial electrician|Plant electrician", nil, hazardous | schooled | apprentices},
	{assembly, "production-supervisor", 6, 18, 28, "Supervisor de producción|Líder de línea", "Production supervisor|Line leader", nil, schooled | someEnglish | adults},
	{assembly, "sewing-machine-operator", 8, 9.7, 12.5, "Operador de costura industrial", "Industrial sewing operator", nil, 0},

	{automotive, "mechanical-assembler", 40, 11, 15, "Operador de ensamble automotriz|Ensamblador de autopartes|Técnico de ensamble", "Car assembly operator|Car parts assembler|Assembly technician", nil, apprentices},
	{automotive, "metal-press-operator", 14, 11.5, 15.5, "Operador de troquel|Operador de prensa", "Stamping operator|Press operator", nil, hazardous},
	{automotive, "welder", 16, 13, 20, "Soldador MIG automotriz|Operador de celda de soldadura", "MIG welder, car parts|Welding cell operator", nil, hazardous | apprentices},
	{automotive, "quality-inspector", 12, 12, 16, "Inspector de calidad automotriz", "Car parts quality inspector", nil, schooled},
	{automotive, "lathe-machinist", 8, 14, 21, "Tornero fresador|Maquinista convencional", "Lathe and milling machinist|Machinist", nil, hazardous | schooled | apprentices},
	{automotive, "toolmaker", 5, 17, 27, "Matricero|Técnico en troqueles", "Toolmaker|Die technician", nil, hazardous | schooled},
	{automotive, "industrial-maintenance-mechanic", 9, 16, 25, "Técnico en mantenimiento|Mecánico de planta", "Maintenance technician|Plant mechanic", nil, hazardous | schooled | apprentices},
	{automotive, "vehicle-painter", 6, 12, 17, "Pintor automotriz de planta", "Factory vehicle painter", nil, hazardous},
	{automotive, "production-worker", 24, 10.5, 13.5, "Operador de producción automotriz|Operador general", "Car plant operator|General operator", nil, 0},
	{automotive, "forklift-operator", 10, 11.5, 15.5, "Montacarguista de planta", "Plant forklift operator", licence, hazardous},

	{garments, "sewing-machine-operator", 50, 9.6, 12.5, "Costurera o costurero industrial|Operador de máquina recta|Operador de overlock", "Industrial sewer|Straight-stitch operator|Overlock operator", nil, apprentices},
	{garments, "pattern-maker-and-cutter", 10, 11, 15.5, "Cortador de tela|Patronista", "Fabric cutter|Pattern maker", nil, apprentices},
	{garments, "garment-presser", 10, 9.6, 11.5, "Planchador de prendas|Acabado y planchado", "Garment presser|Pressing and finishing", nil, 0},
	{garments, "garment-inspector", 8, 9.8, 12, "Revisador de prendas", "Garment inspector", nil, 0},
	{garments, "textile-machine-operator", 10, 10, 13.5, "Operador de telares|Tejedor industrial", "Loom operator|Knitting machine operator", nil, hazardous},
	{garments, "sewing-machine-mechanic", 4, 12, 17, "Mecánico de máquinas de coser", "Sewing machine mechanic", nil, 0},
	{garments, "sewing-line-supervisor", 4, 13, 18, "Supervisor de línea de costura", "Sewing line supervisor", nil, adults},

	{footwear, "footwear-machine-operator", 40, 9.7, 12.5, "Operador de fábrica de calzado|Montador de calzado|Suajador", "Footwear operator|Shoe laster|Leather cutter", nil, 0},
	{footwear, "shoemaker", 20, 10.5, 14.5, "Zapatero|Pespuntador de calzado", "Shoemaker|Shoe stitcher", nil, apprentices},
	{footwear, "tanner", 8, 10.5, 14, "Curtidor|Operador de tenería", "Tanner|Tannery operator", nil, hazardous},
	{footwear, "leather-goods-maker", 10, 10, 13.5, "Marroquinero|Cinturonero", "Leather goods maker|Belt maker", nil, apprentices},

	{farming, "fruit-picker", 45, 9.8, 13, "Cortador de frutas y verduras|Jornalero de cosecha|Cortador de temporada", "Fruit and vegetable picker|Harvest worker|Seasonal picker", nil, hazardous},
	{farming, "crop-labourer", 35, 9.6, 11.8, "Jornalero agrícola|Trabajador de campo", "Farm labourer|Field worker", nil, hazardous},
	{farming, "greenhouse-grower", 18, 10, 14, "Trabajador de invernadero|Encargado de invernadero", "Greenhouse worker|Greenhouse keeper", nil, apprentices},
	{farming, "tractor-driver", 12, 11, 15, "Tractorista", "Tractor driver", licence, hazardous},
	{farming, "irrigation-technician", 8, 11, 16, "Regador|Técnico en riego", "Irrigator|Irrigation technician", nil, apprentices},
	{farming, "livestock-labourer", 12, 9.7, 12.5, "Vaquero|Ordeñador|Trabajador de establo", "Cattle hand|Milker|Dairy hand", nil, hazardous},
	{farming, "pig-farmer", 4, 10, 13, "Encargado de granja porcina", "Pig farm hand", nil, hazardous},
	{farming, "poultry-farmer", 7, 9.8, 12.5, "Galponero|Trabajador de granja avícola", "Poultry house keeper|Poultry farm hand", nil, hazardous},
	{farming, "agricultural-technician", 5, 13, 20, "Técnico agropecuario|Técnico de campo", "Farm technician|Field technician", licence, schooled},
	{farming, "nursery-grower", 6, 9.8, 12, "Viverista|Trabajador de vivero", "Nursery grower|Nursery worker", nil, 0},
	{farming, "coffee-and-cocoa-grower", 5, 9.6, 11.5, "Trabajador de finca de café", "Coffee farm worker", nil, hazardous},
	{farming, "forestry-worker", 4, 10, 13.5, "Trabajador forestal|Motosierrista", "Forestry worker|Chainsaw operator", nil, hazardous},
	{farming, "beekeeper", 2, 9.7, 12.5, "Ayudante de apicultor", "Beekeeper's assistant", nil, 0},

	{fishing, "coastal-fisher", 25, 9.8, 14.5, "Pescador ribereño|Tripulante de lancha", "Coastal fisher|Boat hand", nil, hazardous | atSea},
	{fishing, "deep-sea-fisher", 15, 12, 19, "Marinero de barco camaronero|Tripulante de atunero", "Shrimp boat deckhand|Tuna boat crew", healthPaper, hazardous | atSea},
	{fishing, "fish-processor", 14, 9.7, 12.5, "Fileteador de pescado|Procesador de mariscos", "Fish filleter|Seafood processor", foodPaper, 0},
	{fishing, "fish-farmer", 10, 10, 14, "Trabajador de granja de camarón|Técnico acuícola", "Shrimp farm worker|Fish farm hand", nil, hazardous},
	{fishing, "boat-operator", 6, 11, 15, "Lanchero|Capitán de embarcación menor", "Boat operator|Small boat skipper", tradePaper, hazardous | atSea},

	{foodMaking, "food-packer", 30, 9.6, 11.8, "Empacador de alimentos|Seleccionador y empacador", "Food packer|Sorter and packer", foodPaper, 0},
	{foodMaking, "food-machine-operator", 18, 10, 13.5, "Operador de planta de alimentos|Operador de envasado", "Food plant operator|Filling line operator", foodPaper, apprentices},
	{foodMaking, "meat-processor", 10, 10, 13.5, "Elaborador de embutidos|Procesador de carne", "Sausage maker|Meat processor", foodPaper, hazardous},
	{foodMaking, "slaughterhouse-worker", 9, 10.5, 14, "Trabajador de rastro|Operador de despiece", "Slaughterhouse worker|Cutting line operator", healthPaper, hazardous},
	{foodMaking, "poultry-processor", 10, 9.7, 12.5, "Procesador de pollo|Deshuesador de pollo", "Poultry processor|Poultry deboner", foodPaper, hazardous},
	{foodMaking, "butcher", 14, 10.5, 14.5, "Carnicero|Tablajero", "Butcher|Meat counter butcher", foodPaper, adults | apprentices},
	{foodMaking, "baker", 20, 10, 14, "Panadero|Hornero", "Baker|Oven baker", foodPaper, apprentices},
	{foodMaking, "pastry-cook", 9, 10, 14, "Pastelero|Decorador de pasteles", "Pastry cook|Cake decorator", foodPaper, apprentices},
	{foodMaking, "flatbread-baker", 14, 9.7, 12, "Tortillero|Encargado de tortillería", "Tortilla maker|Tortilla shop keeper", foodPaper, 0},
	{foodMaking, "dairy-products-maker", 7, 10, 13, "Quesero|Operador de lácteos", "Cheese maker|Dairy operator", foodPaper, apprentices},
	{foodMaking, "fruit-and-vegetable-preserver", 6, 9.7, 12, "Elaborador de conservas", "Preserves maker", foodPaper, 0},

	{kitchens, "cook", 40, 10.5, 15, "Cocinero|Cocinera|Cocinero de línea", "Cook|Cook, home-style food|Line cook", foodPaper, apprentices},
	{kitchens, "kitchen-helper", 40, 9.6, 11.5, "Ayudante de cocina|Lavaloza y ayudante", "Kitchen helper|Dishwasher and helper", healthPaper, 0},
	{kitchens, "grill-cook", 12, 10.5, 15, "Parrillero|Taquero", "Grill cook|Taco cook", foodPaper, 0},
	{kitchens, "fast-food-preparer", 18, 9.6, 11.5, "Preparador de comida rápida|Integrante de equipo de cocina", "Fast food preparer|Kitchen team member", healthPaper, 0},
	{kitchens, "waiter", 28, 9.6, 12.5, "Mesero o mesera|Garrotero", "Waiter|Busser", healthPaper, someEnglish},
	{kitchens, "barista-and-juice-maker", 10, 9.7, 12, "Barista|Juguero", "Barista|Juice maker", foodPaper, someEnglish},
	{kitchens, "canteen-cook", 8, 10.5, 14, "Cocinero de comedor industrial", "Works canteen cook", foodPaper, 0},
	{kitchens, "chef", 4, 16, 26, "Jefe de cocina|Subchef", "Head cook|Sous-chef", foodPaper, adults},
	{kitchens, "restaurant-manager", 4, 14, 22, "Encargado de restaurante", "Restaurant manager", nil, adults | schooled},

	{hotels, "room-attendant", 40, 9.7, 12, "Camarista|Recamarista", "Room attendant|Housekeeper", nil, 0},
	{hotels, "hotel-receptionist", 16, 11, 15.5, "Recepcionista de hotel|Agente de recepción", "Hotel receptionist|Front desk agent", nil, english | schooled},
	{hotels, "housekeeping-supervisor", 6, 12, 16, "Supervisor de ama de llaves", "Housekeeping supervisor", nil, someEnglish | adults},
	{hotels, "waiter", 24, 9.7, 12.5, "Mesero de hotel|Mesero de banquetes", "Hotel waiter|Banquet waiter", healthPaper, someEnglish},
	{hotels, "bartender", 10, 9.8, 13, "Cantinero|Ayudante de barra", "Bartender|Bar assistant", healthPaper, adults | someEnglish},
	{hotels, "cook", 14, 11, 15.5, "Cocinero de hotel|Cocinero B", "Hotel cook|Second cook", foodPaper, apprentices},
	{hotels, "kitchen-helper", 16, 9.7, 11.8, "Steward de cocina|Ayudante de cocina de hotel", "Kitchen steward|Hotel kitchen helper", healthPaper, 0},
	{hotels, "tour-guide", 6, 10.5, 16, "Guía de turistas", "Tour guide", tradePaper, english | adults},
	{hotels, "gardener", 10, 9.8, 12.5, "Jardinero de hotel", "Hotel gardener", nil, apprentices},
	{hotels, "building-maintenance-worker", 12, 10.5, 15, "Técnico de mantenimiento de hotel", "Hotel maintenance worker", nil, apprentices},
	{hotels, "lifeguard", 4, 10, 13, "Guardavidas", "Lifeguard", tradePaper, adults | someEnglish},
	{hotels, "laundry-machine-operator", 8, 9.7, 11.8, "Operador de lavandería de hotel", "Hotel laundry operator", nil, 0},

	{trade, "shop-assistant", 40, 9.6, 12, "Vendedor de mostrador|Vendedora de piso|Dependiente de tienda", "Counter salesperson|Floor salesperson|Shop assistant", nil, 0},
	{trade, "cashier", 30, 9.6, 11.8, "Cajero o cajera|Cajero de autoservicio", "Cashier|Supermarket cashier", nil, 0},
	{trade, "shelf-filler", 22, 9.6, 11.2, "Acomodador de mercancía|Auxiliar de piso de ventas", "Shelf filler|Sales floor helper", nil, 0},
	{trade, "shop-supervisor", 8, 12, 17, "Encargado de tienda|Supervisor de sucursal", "Shop supervisor|Branch supervisor", nil, adults | schooled},
	{trade, "sales-representative", 12, 11, 18, "Representante de ventas|Agente de ventas en ruta", "Sales representative|Route salesperson", licence, adults | plain},
	{trade, "fuel-station-attendant", 10, 9.6, 11.5, "Despachador de gasolina", "Fuel station attendant", nil, adults | plain},
	{trade, "market-stall-seller", 8, 9.6, 11.5, "Vendedor de puesto de mercado", "Market stall seller", nil, plain},
	{trade, "sales-demonstrator", 8, 9.7, 12.5, "Demostrador de productos|Promotora de tienda", "Product demonstrator|In-store promoter", nil, 0},
	{trade, "online-seller", 5, 9.8, 13, "Vendedor por internet", "Online seller", nil, remote | plain},
	{trade, "purchasing-assistant", 4, 11, 15, "Auxiliar de compras", "Purchasing assistant", nil, schooled | officeDay},

	{logistics, "warehouse-worker", 36, 9.8, 12.8, "Almacenista|Auxiliar de almacén|Surtidor de pedidos", "Warehouse worker|Warehouse assistant|Order picker", nil, 0},
	{logistics, "forklift-operator", 16, 11, 15, "Montacarguista|Operador de montacargas", "Forklift operator|Forklift driver", licence, hazardous | apprentices},
	{logistics, "freight-handler", 18, 9.8, 12.5, "Estibador|Maniobrista de carga", "Freight handler|Loader", nil, hazardous},
	{logistics, "hand-packer", 14, 9.6, 11.5, "Empacador|Auxiliar de empaque", "Packer|Packing assistant", nil, 0},
	{logistics, "van-delivery-driver", 24, 10.5, 14.5, "Chofer repartidor|Repartidor en camioneta", "Delivery driver|Van delivery driver", licence, adults},
	{logistics, "heavy-truck-driver", 15, 15, 24, "Operador de camión|Chofer de torton", "Truck driver|Heavy truck driver", truckPapers, hazardous},
	{logistics, "articulated-truck-driver", 12, 20, 34, "Operador de tráiler|Operador de quinta rueda", "Articulated truck driver|Tractor-trailer driver", truckPapers, hazardous},
	{logistics, "bus-driver", 8, 13, 20, "Conductor de autobús|Operador de transporte de personal", "Bus driver|Staff bus driver", append(truckPapers[:2:2], onward.CriminalRecordCheck), hazardous},
	{logistics, "motorcycle-courier", 12, 9.7, 13, "Repartidor en moto", "Motorcycle courier", licence, adults},
	{logistics, "stock-clerk", 10, 10.5, 14, "Auxiliar de inventarios|Capturista de almacén", "Stock clerk|Warehouse data clerk", nil, schooled},
	{logistics, "transport-dispatcher", 4, 12, 17, "Despachador de unidades|Monitorista de flotilla", "Vehicle dispatcher|Fleet monitor", nil, schooled},
	{logistics, "customs-assistant", 4, 12, 18, "Auxiliar de agencia aduanal", "Customs agency assistant", nil, schooled | someEnglish | officeDay},

	{office, "office-clerk", 25, 9.8, 13, "Auxiliar administrativo|Auxiliar de oficina", "Administrative assistant|Office clerk", nil, schooled},
	{office, "receptionist", 16, 9.7, 12.5, "Recepcionista|Recepcionista de oficina", "Receptionist|Office receptionist", nil, schooled},
	{office, "data-entry-clerk", 12, 9.7, 12.5, "Capturista de datos", "Data entry clerk", nil, schooled | remote},
	{office, "bookkeeper", 14, 11, 16, "Auxiliar contable", "Bookkeeper", nil, schooled | remote},
	{office, "personnel-clerk", 8, 11, 15, "Auxiliar de recursos humanos|Reclutador", "Personnel clerk|Recruiter", nil, schooled},
	{office, "executive-secretary", 5, 13, 19, "Asistente administrativo bilingüe", "Bilingual administrative assistant", nil, schooled | english},
	{office, "debt-collector", 6, 10, 14, "Gestor de cobranza", "Debt collector", licence, adults},
	{office, "messenger", 6, 9.6, 12, "Mensajero", "Messenger", licence, adults},

	{computing, "software-developer", 22, 22, 45, "Desarrollador de software|Programador web", "Software developer|Web programmer", nil, remote | someEnglish | schooled},
	{computing, "software-tester", 10, 15, 26, "Probador de software|Analista de pruebas", "Software tester|Test analyst", nil, remote | someEnglish | schooled},
	{computing, "ict-support-technician", 20, 12, 19, "Técnico de soporte|Soporte técnico en sitio", "Support technician|On-site support technician", nil, schooled | someEnglish | apprentices},
	{computing, "network-technician", 8, 13, 21, "Técnico en redes|Instalador de redes", "Network technician|Network installer", nil, schooled | apprentices},
	{computing, "telecom-installer", 14, 11.5, 16, "Instalador de internet y fibra óptica|Técnico de campo en telecomunicaciones", "Internet and fibre installer|Telecom field technician", licence, hazardous | apprentices},
	{computing, "graphic-designer", 8, 11, 18, "Diseñador gráfico", "Graphic designer", nil, remote | schooled},
	{computing, "social-media-manager", 7, 11, 17, "Encargado de redes sociales", "Social media manager", nil, remote},
	{computing, "data-annotator", 8, 10, 14, "Anotador de datos|Etiquetador de imágenes", "Data annotator|Image labeller", nil, remote},
	{computing, "content-moderator", 6, 11, 15, "Moderador de contenido", "Content moderator", nil, remote | adults | someEnglish},

	{callCentre, "call-centre-agent", 60, 12, 18, "Agente bilingüe de atención telefónica|Ejecutivo bilingüe de atención a clientes|Representante bilingüe de servicio", "Bilingual call centre agent|Bilingual customer service agent|Bilingual service representative", nil, english | remote},
	{callCentre, "call-centre-agent", 25, 9.7, 12.5, "Agente de atención telefónica|Operador telefónico", "Call centre agent|Telephone operator", nil, 0},
	{callCentre, "telemarketer", 15, 9.7, 13.5, "Vendedor telefónico|Agente de ventas por teléfono", "Telephone salesperson|Telesales agent", nil, 0},

	{health, "nursing-aide", 24, 10, 13, "Auxiliar de enfermería", "Nursing aide", nil, schooled | apprentices},
	{health, "nursing-associate", 12, 12, 17, "Enfermera o enfermero técnico", "Nursing associate", tradePaper, schooled | adults},
	{health, "hospital-orderly", 10, 9.7, 12, "Camillero", "Hospital orderly", nil, adults},
	{health, "pharmacy-assistant", 18, 9.7, 12, "Auxiliar de farmacia|Dependiente de farmacia", "Pharmacy assistant|Pharmacy counter assistant", nil, schooled},
	{health, "clinic-receptionist", 10, 9.7, 12.5, "Recepcionista de clínica", "Clinic receptionist", nil, schooled},
	{health, "laboratory-assistant", 6, 10.5, 14, "Auxiliar de laboratorio clínico", "Laboratory assistant", nil, schooled},
	{health, "dental-assistant", 8, 9.7, 12.5, "Asistente dental", "Dental assistant", nil, 0},
	{health, "community-health-worker", 8, 10, 13, "Promotor de salud", "Community health worker", nil, 0},
	{health, "ambulance-attendant", 4, 12, 17, "Paramédico de ambulancia", "Ambulance attendant", append(tradePaper[:1:1], onward.DrivingLicence), adults},

	{care, "home-care-worker", 26, 10.5, 14.5, "Cuidadora o cuidador a domicilio|Cuidador de persona mayor", "Home care worker|Carer for an older person", cleanRecord, adults | apprentices},
	{care, "care-home-assistant", 14, 10, 13.5, "Auxiliar de casa de retiro|Asistente gerontológico", "Care home assistant|Geriatric assistant", healthPaper, adults},
	{care, "nanny", 18, 10, 14, "Niñera", "Nanny", records, adults},
	{care, "childcare-worker", 14, 9.7, 12.5, "Asistente educativa de guardería|Cuidadora de estancia infantil", "Childcare worker|Nursery assistant", cleanRecord, adults},
	{care, "domestic-worker", 26, 9.7, 13, "Trabajadora del hogar|Empleada de casa", "Domestic worker|House help", nil, 0},
	{care, "household-cook", 6, 10.5, 14, "Cocinera de casa particular", "Household cook", nil, 0},
	{care, "disability-support-worker", 6, 10, 13.5, "Asistente personal de persona con discapacidad", "Disability support worker", cleanRecord, adults},

	{cleaning, "office-cleaner", 50, 9.6, 11.5, "Auxiliar de limpieza|Intendente|Personal de limpieza", "Cleaner|Caretaker and cleaner|Cleaning staff", nil, 0},
	{cleaning, "specialised-cleaner", 8, 10, 13, "Limpieza especializada|Operador de pulidora", "Specialised cleaner|Floor machine operator", nil, hazardous},
	{cleaning, "window-cleaner", 5, 10.5, 14, "Limpiador de ventanas en altura", "High-rise window cleaner", nil, hazardous},
	{cleaning, "cleaning-supervisor", 6, 11.5, 15, "Supervisor de limpieza", "Cleaning supervisor", licence, adults},
	{cleaning, "laundry-worker", 10, 9.6, 11.3, "Lavandera o lavandero|Planchador", "Laundry worker|Ironer", nil, 0},
	{cleaning, "pest-controller", 5, 10.5, 14, "Fumigador", "Pest controller", licence, hazardous},
	{cleaning, "garden-labourer", 14, 9.6, 11.8, "Ayudante de jardinería|Jardinero de áreas verdes", "Garden labourer|Grounds worker", nil, 0},
	{cleaning, "gardener", 8, 10, 13, "Jardinero", "Gardener", nil, apprentices},

	{security, "security-guard", 60, 11.5, 15.5, "Guardia de seguridad|Oficial de seguridad|Elemento de seguridad", "Security guard|Security officer|Gate guard", records, hazardous},
	{security, "night-watch", 12, 10.5, 13.5, "Velador", "Night watch", cleanRecord, hazardous},
	{security, "cctv-operator", 12, 11.5, 15, "Monitorista de cámaras", "CCTV operator", append(records[:2:2], onward.SchoolCertificate), adults},
	{security, "parking-attendant", 10, 9.6, 11.5, "Encargado de estacionamiento", "Parking attendant", nil, adults},

	{repair, "vehicle-mechanic", 34, 11.5, 17.5, "Mecánico automotriz|Ayudante de mecánico|Mecánico general", "Vehicle mechanic|Mechanic's helper|General mechanic", nil, apprentices},
	{repair, "diesel-mechanic", 14, 14, 22, "Mecánico diésel|Mecánico de tractocamión", "Diesel mechanic|Truck mechanic", nil, hazardous | apprentices},
	{repair, "auto-electrician", 9, 12, 18, "Electricista automotriz", "Auto electrician", nil, apprentices},
	{repair, "panel-beater", 10, 11.5, 17, "Hojalatero automotriz", "Panel beater", nil, hazardous | apprentices},
	{repair, "vehicle-painter", 7, 11.5, 16.5, "Pintor automotriz", "Vehicle painter", nil, hazardous},
	{repair, "tyre-repairer", 10, 9.8, 12.5, "Vulcanizador|Llantero", "Tyre repairer|Tyre fitter", nil, 0},
	{repair, "vehicle-washer", 12, 9.6, 11.3, "Lavador de autos", "Car washer", nil, 0},
	{repair, "motorcycle-mechanic", 8, 10.5, 14.5, "Mecánico de motos", "Motorcycle mechanic", nil, apprentices},
	{repair, "refrigeration-mechanic", 14, 12.5, 19.5, "Técnico en refrigeración y aire acondicionado|Instalador de minisplits", "Refrigeration and air-conditioning technician|Air-conditioning installer", licence, hazardous | apprentices},
	{repair, "appliance-repairer", 9, 10.5, 15, "Técnico en línea blanca|Reparador de electrodomésticos", "Appliance technician|Appliance repairer", licence, 0},
	{repair, "phone-repairer", 8, 9.8, 13.5, "Técnico en reparación de celulares", "Mobile phone repairer", nil, apprentices},
	{repair, "gate-and-grille-maker", 12, 11, 16.5, "Herrero|Herrero de portones y ventanas", "Metalworker|Gate and grille maker", nil, hazardous | apprentices},
	{repair, "joiner", 10, 11, 16, "Carpintero de cocinas y clósets|Carpintero de taller", "Kitchen and wardrobe fitter|Workshop joiner", nil, hazardous | apprentices},
	{repair, "furniture-maker", 8, 10.5, 15.5, "Mueblero|Ebanista", "Furniture maker|Cabinet maker", nil, hazardous | apprentices},
	{repair, "upholsterer", 5, 10.5, 14.5, "Tapicero", "Upholsterer", nil, apprentices},

	{energy, "solar-installer", 34, 12, 18, "Instalador de paneles solares|Montador de parque solar", "Solar panel installer|Solar park installer", nil, hazardous | apprentices},
	{energy, "solar-technician", 10, 15, 23, "Técnico en sistemas solares", "Solar systems technician", tradePaper, hazardous | schooled},
	{energy, "small-power-plant-operator", 12, 15, 25, "Técnico de aerogeneradores|Auxiliar de parque eólico", "Wind turbine technician|Wind park assistant", nil, hazardous | schooled | someEnglish | apprentices},
	{energy, "power-line-worker", 10, 14, 22, "Liniero", "Power line worker", append(tradePaper[:1:1], onward.DrivingLicence), hazardous},
	{energy, "building-electrician", 8, 13, 19, "Electricista de media tensión", "Medium-voltage electrician", tradePaper, hazardous},
	{energy, "building-labourer", 10, 10, 12.5, "Ayudante de obra en parque solar", "Solar park site helper", nil, hazardous},

	{crafts, "embroiderer", 8, 9.6, 11.5, "Bordadora o bordador", "Embroiderer", nil, 0},
	{crafts, "weaver", 8, 9.6, 12, "Tejedor en telar", "Handloom weaver", nil, apprentices},
	{crafts, "potter", 8, 9.6, 12, "Alfarero|Decorador de barro", "Potter|Pottery decorator", nil, apprentices},
	{crafts, "jeweller", 6, 10, 14.5, "Platero|Joyero", "Silversmith|Jeweller", nil, apprentices},
	{crafts, "wood-carver", 6, 9.6, 12.5, "Tallador de madera|Laudero", "Wood carver|Guitar maker's helper", nil, apprentices},

	{education, "language-teacher", 22, 11, 17, "Profesor de inglés|Maestra de inglés para primaria", "English teacher|Primary school English teacher", cleanRecord, english | adults | schooled},
	{education, "teachers-aide", 16, 9.7, 12, "Auxiliar de maestro", "Teacher's aide", cleanRecord, adults | schooled},
	{education, "vocational-instructor", 12, 13, 19, "Instructor de oficios|Instructor de capacitación para el trabajo", "Trade instructor|Vocational instructor", tradePaper, adults},
	{education, "digital-skills-trainer", 7, 11, 15, "Instructor de computación", "Digital skills trainer", cleanRecord, adults | schooled},
	{education, "sports-leader", 6, 9.8, 13, "Promotor deportivo", "Sports leader", cleanRecord, adults},
	{education, "interpreter", 4, 13, 20, "Intérprete inglés–español", "English–Spanish interpreter", nil, english | adults | remote},

	{community, "reintegration-peer-worker", 14, 12, 16, "Acompañante par de personas retornadas", "Peer worker with returnees", cleanRecord, adults},
	{community, "community-mobiliser", 14, 11, 15, "Promotor comunitario", "Community mobiliser", nil, adults},
	{community, "social-work-assistant", 10, 11.5, 15.5, "Auxiliar de trabajo social", "Social work assistant", cleanRecord, adults | schooled},
	{community, "aid-field-officer", 6, 14, 20, "Asistente de campo humanitario", "Aid field officer", licence, adults | schooled | someEnglish},
	{community, "canteen-cook", 5, 10, 13, "Cocinero de albergue", "Shelter cook", foodPaper, 0},

	{personal, "hairdresser", 24, 9.7, 13, "Estilista|Cultora de belleza", "Hairdresser|Stylist", nil, apprentices},
	{personal, "barber", 18, 9.7, 13.5, "Barbero", "Barber", nil, apprentices},
	{personal, "nail-technician", 12, 9.6, 12, "Manicurista|Aplicadora de uñas", "Nail technician|Nail artist", nil, apprentices},
	{personal, "massage-therapist", 5, 10.5, 15, "Masajista de spa", "Spa massage therapist", tradePaper, adults | someEnglish},
}
