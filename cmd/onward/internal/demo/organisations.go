package demo

import (
	"strings"

	"onward"
)

const mainAgency = "programa-retorno"

// roleOfPosts says which kind of posting an organisation makes besides jobs.
type roleOfPosts int

const (
	employs      roleOfPosts = iota // jobs and apprenticeships
	small                           // jobs only
	trains                          // training, and apprenticeships
	funds                           // enterprise grants, places in projects
	cooperates                      // cooperatives
	publicWorks                     // cash for work, and jobs on behalf of small businesses
	placesPeople                    // jobs of every industry, for employers that post nowhere themselves
	watches                         // monitors placements and trains a little
)

// party is an organisation of the demonstration. All of them are made up.
type party struct {
	slug, name string
	kind       onward.OrganisationKind
	posts      roleOfPosts
	industries string // separated by spaces; empty: none
	where      string // as atlas.set reads it; empty: the whole country
	size       float64
}

const (
	baja  = "@Baja California;San Luis Río Colorado"
	north = "@Baja California;@Sonora;@Chihuahua;@Coahuila;@Nuevo León;@Tamaulipas"
	bajio = "@Guanajuato;@Querétaro;@Aguascalientes;@San Luis Potosí"
	west  = "@Jalisco;@Colima;@Nayarit;@Michoacán"
	mid   = "Mexico City;@México;@Puebla;@Morelos;@Hidalgo;@Tlaxcala"
	south = "@Oaxaca;@Chiapas;@Guerrero;@Veracruz;@Tabasco"
	east  = "@Quintana Roo;@Yucatán;@Campeche"
)

var parties = []party{
	{mainAgency, "Programa Puente de Retorno (ficticio)", onward.Agency, watches, "", "", 0},
	{"casa-camino", "Casa del Camino (ficticia)", onward.Agency, watches, "", "", 0},

	{"servicio-vinculacion", "Servicio de Vinculación Laboral (ficticio)", onward.Authority, placesPeople, "*", "", 2.2},
	{"bolsa-michoacan", "Bolsa de Trabajo Purépecha (ficticia)", onward.Authority, placesPeople, "*", "@Michoacán", 3},
	{"bolsa-oaxaca", "Bolsa de Trabajo de los Valles (ficticia)", onward.Authority, placesPeople, "*", "@Oaxaca", 3},
	{"instituto-oficios", "Instituto de Oficios y Capacitación (ficticio)", onward.Authority, trains, "education", "", 3},
	{"obras-barrio", "Dirección de Obras de Barrio (ficticia)", onward.Authority, publicWorks, "building", "", 0.4},
	{"municipio-sierra", "Mancomunidad Sierra Clara (ficticia)", onward.Authority, publicWorks, "", "@Michoacán;@Guerrero;@Oaxaca;@Chiapas;@Puebla;@Veracruz", 2},

	{"constructora-tres-nogales", "Constructora Tres Nogales (ficticia)", onward.Employer, employs, "building", "", 3},
	{"vivienda-horizonte", "Vivienda Horizonte (ficticia)", onward.Employer, employs, "building", north + ";" + bajio, 2},
	{"obras-del-lerma", "Obras del Lerma (ficticia)", onward.Employer, employs, "building", west + ";" + bajio, 2},
	{"edificadora-caribe-azul", "Edificadora Caribe Azul (ficticia)", onward.Employer, employs, "building", east, 2},
	{"techos-y-lonas-rivera", "Techos y Lonas Rivera (ficticia)", onward.Employer, small, "building", "@Jalisco;@Michoacán;@Guanajuato", 0.8},
	{"acabados-san-blas", "Acabados San Blas (ficticia)", onward.Employer, small, "building", mid, 1.2},
	{"naves-del-desierto", "Naves y Estructuras del Desierto (ficticia)", onward.Employer, employs, "building", north, 1.5},
	{"albaniles-del-sureste", "Constructora Ceiba Alta (ficticia)", onward.Employer, employs, "building", south, 1.5},
	{"instalaciones-faro", "Instalaciones El Faro (ficticia)", onward.Employer, small, "building repair", "", 0.8},

	{"electronica-valle-claro", "Electrónica Valle Claro (ficticia)", onward.Employer, employs, "assembly", baja, 3},
	{"dispositivos-frontera", "Dispositivos Médicos Frontera Sur (ficticia)", onward.Employer, employs, "assembly", baja + ";@Sonora", 2},
	{"ensambles-paso-real", "Ensambles Paso Real (ficticia)", onward.Employer, employs, "assembly", "@Chihuahua", 3},
	{"componentes-rio-ancho", "Componentes Río Ancho (ficticia)", onward.Employer, employs, "assembly", "@Tamaulipas;@Coahuila;@Nuevo León", 3},
	{"circuitos-agave", "Circuitos Agave (ficticia)", onward.Employer, employs, "assembly", "@Jalisco", 2.5},
	{"plasticos-cardenal", "Plásticos Cardenal (ficticia)", onward.Employer, employs, "assembly", "", 0.8},
	{"autopartes-cuatro-rios", "Autopartes Cuatro Ríos (ficticia)", onward.Employer, employs, "automotive", bajio, 3},
	{"arneses-la-malinche", "Arneses La Malinche (ficticia)", onward.Employer, employs, "automotive", mid, 2.5},
	{"troqueles-zarape", "Troqueles Zarape (ficticia)", onward.Employer, employs, "automotive", "@Coahuila;@Nuevo León;@Sonora", 2.5},
	{"asientos-del-centro", "Asientos del Centro (ficticia)", onward.Employer, employs, "automotive", "", 0.8},

	{"hilados-tehuacan", "Hilados Siete Manantiales (ficticia)", onward.Employer, employs, "garments", "@Puebla;@Tlaxcala;@Hidalgo", 2},
	{"confecciones-laguna", "Confecciones La Laguna Clara (ficticia)", onward.Employer, employs, "garments", "@Coahuila;@Durango;@Aguascalientes", 2},
	{"tejidos-bajio", "Tejidos Doña Luz (ficticia)", onward.Employer, small, "garments", "", 1},
	{"calzado-tres-pasos", "Calzado Tres Pasos (ficticia)", onward.Employer, employs, "footwear", "", 2.5},
	{"botas-el-alacran", "Botas El Alacrán Dorado (ficticia)", onward.Employer, employs, "footwear", "@Guanajuato", 2},

	{"agricola-los-alamos", "Agrícola Los Álamos del Humaya (ficticia)", onward.Employer, employs, "farming", "@Sinaloa;@Sonora", 3},
	{"berries-tierra-alta", "Berries Tierra Alta (ficticia)", onward.Employer, employs, "farming foodMaking", "@Michoacán;@Jalisco;@Guanajuato", 2.5},
	{"huertos-meseta", "Huertos de la Meseta (ficticia)", onward.Employer, employs, "farming", "@Michoacán", 2},
	{"fincas-soconusco", "Fincas del Soconusco Nuevo (ficticia)", onward.Employer, employs, "farming", "@Chiapas;@Oaxaca;@Veracruz", 2.5},
	{"ranchos-san-quintin", "Ranchos Pacífico Verde (ficticia)", onward.Employer, employs, "farming", "@Baja California;@Baja California Sur", 2.5},
	{"establos-la-gloria", "Establos La Gloria Nueva (ficticia)", onward.Employer, small, "farming foodMaking", "@Jalisco;@Zacatecas;@Guanajuato;@Durango;@Coahuila;@Querétaro", 1.2},
	{"agro-servicios", "Agroservicios del Surco (ficticia)", onward.Employer, small, "farming", "", 1},

	{"pesquera-mar-de-plata", "Pesquera Mar de Plata (ficticia)", onward.Employer, employs, "fishing", "@Sinaloa;@Sonora;@Baja California;@Baja California Sur;@Nayarit;@Colima", 2},
	{"mariscos-del-golfo", "Mariscos del Golfo Norte (ficticia)", onward.Employer, small, "fishing", "", 1},

	{"empacadora-dos-volcanes", "Empacadora Dos Volcanes (ficticia)", onward.Employer, employs, "foodMaking", "", 2},
	{"panificadora-trigal", "Panificadora El Trigal (ficticia)", onward.Employer, employs, "foodMaking", "", 1.5},
	{"carnes-del-llano", "Carnes del Llano (ficticia)", onward.Employer, employs, "foodMaking", north + ";@Jalisco;@Sinaloa", 2},
	{"cocinas-la-abuela", "Cocinas La Abuela Chayo (ficticia)", onward.Employer, employs, "kitchens", "", 2.5},
	{"taquerias-el-comal", "Taquerías El Comal de Oro (ficticia)", onward.Employer, small, "kitchens", "", 1.5},
	{"restaurantes-marea", "Restaurantes Marea Alta (ficticia)", onward.Employer, employs, "kitchens", "@Sinaloa;@Baja California;@Nayarit;@Quintana Roo;@Guerrero;@Veracruz", 1.5},
	{"comedores-nutre", "Comedores Industriales Nutre Bien (ficticia)", onward.Employer, employs, "kitchens", north + ";" + bajio, 1},

	{"hoteles-costa-serena", "Hoteles Costa Serena (ficticia)", onward.Employer, employs, "hotels", "@Quintana Roo;@Jalisco;@Nayarit;@Guerrero;@Sinaloa", 3},
	{"hoteles-dos-mares", "Hoteles Dos Mares (ficticia)", onward.Employer, employs, "hotels", "@Baja California Sur;@Sonora;@Sinaloa;@Baja California", 2.5},
	{"posadas-colibri", "Posadas Colibrí (ficticia)", onward.Employer, employs, "hotels", "", 1.2},
	{"hotel-jacaranda", "Hotel Jacaranda Vieja (ficticia)", onward.Employer, small, "hotels", "@Oaxaca;@Chiapas;@Guanajuato;@Michoacán", 1.5},

	{"super-la-esquina", "Súper La Esquina (ficticia)", onward.Employer, employs, "trade", "", 3},
	{"abarrotes-union", "Abarrotes Unión (ficticia)", onward.Employer, small, "trade", "", 1.2},
	{"tiendas-primavera", "Tiendas Primavera (ficticia)", onward.Employer, employs, "trade", "", 1.8},
	{"ferreterias-el-yunque", "Ferreterías El Yunque Azul (ficticia)", onward.Employer, small, "trade", west + ";" + bajio + ";" + mid, 0.8},
	{"gasolineras-correcaminos", "Estaciones Correcaminos (ficticia)", onward.Employer, small, "trade", north, 0.6},

	{"transportes-aguila-gris", "Transportes Águila Gris (ficticia)", onward.Employer, employs, "logistics", "", 2.5},
	{"bodegas-centro-norte", "Bodegas Centro Norte (ficticia)", onward.Employer, employs, "logistics", north + ";" + bajio + ";" + mid, 2.5},
	{"mensajeria-colibri", "Mensajería Liebre Veloz (ficticia)", onward.Employer, employs, "logistics", "", 1.5},
	{"maniobras-del-puerto", "Maniobras del Puerto (ficticia)", onward.Employer, small, "logistics", "Manzanillo;Veracruz;Ciudad Lázaro Cárdenas;Tampico;Ensenada;Salina Cruz", 3},

	{"despacho-roble", "Despacho Roble y Asociados (ficticio)", onward.Employer, small, "office", "", 1.5},
	{"servicios-ceiba", "Servicios Administrativos Ceiba (ficticia)", onward.Employer, employs, "office", "", 2},
	{"codigo-maguey", "Código Maguey (ficticia)", onward.Employer, employs, "computing", "", 2.5},
	{"redes-quetzal", "Redes Quetzal (ficticia)", onward.Employer, employs, "computing", "", 1.5},
	{"voz-clara", "Contacto Voz Clara (ficticia)", onward.Employer, employs, "callCentre", baja + ";@Sonora;@Chihuahua;@Nuevo León", 2.5},
	{"linea-puente", "Línea Puente Bilingüe (ficticia)", onward.Employer, employs, "callCentre", "", 2},

	{"clinicas-tonali", "Clínicas Tonali (ficticia)", onward.Employer, employs, "health", "", 2},
	{"farmacias-la-paloma", "Farmacias La Paloma Blanca (ficticia)", onward.Employer, employs, "health", "", 1.5},
	{"cuidados-abrazo", "Cuidados Abrazo (ficticia)", onward.Employer, employs, "care", "", 2},
	{"hogar-y-familia", "Agencia Hogar y Familia (ficticia)", onward.Employer, small, "care cleaning", "", 1.2},
	{"limpieza-rocio", "Limpieza Rocío (ficticia)", onward.Employer, employs, "cleaning", "", 2},
	{"seguridad-centinela", "Seguridad Centinela Norte (ficticia)", onward.Employer, employs, "security", "", 2},
	{"vigilancia-ocelote", "Vigilancia Ocelote (ficticia)", onward.Employer, employs, "security", mid + ";" + east + ";" + south, 1.5},
	{"taller-hermanos-lugo", "Taller Hermanos Lugo Vera (ficticio)", onward.Employer, small, "repair", "@Jalisco;@Michoacán;@Guanajuato", 1.5},
	{"diesel-del-norte", "Diésel y Frenos del Norte (ficticia)", onward.Employer, employs, "repair", north, 1.5},
	{"frio-y-clima", "Frío y Clima Nevada (ficticia)", onward.Employer, small, "repair", "", 1},
	{"camara-talleres", "Cámara de Talleres y Herrerías (ficticia)", onward.Employer, employs, "repair", "", 1.5},
	{"sol-del-istmo", "Sol y Viento del Istmo (ficticia)", onward.Employer, employs, "energy", "@Oaxaca;@Yucatán", 2.5},
	{"energia-saguaro", "Energía Saguaro (ficticia)", onward.Employer, employs, "energy", "", 2},
	{"estetica-margarita", "Estéticas Margarita (ficticia)", onward.Employer, small, "personal", "", 2},
	{"colegio-alborada", "Colegio Alborada Bilingüe (ficticio)", onward.Employer, employs, "education", "", 2},

	{"federacion-cooperativas", "Federación de Cooperativas Milpa Común (ficticia)", onward.Employer, cooperates, "", "", 2},
	{"cooperativas-mar-y-tierra", "Unión de Cooperativas Mar y Tierra (ficticia)", onward.Employer, cooperates, "", "@Sinaloa;@Sonora;@Baja California;@Baja California Sur;@Oaxaca;@Yucatán;@Veracruz", 2},
	{"artesanas-unidas", "Red de Artesanas del Sur (ficticia)", onward.Employer, cooperates, "crafts", "@Oaxaca;@Chiapas;@Guerrero;@Michoacán;@Puebla;@Jalisco;@Guanajuato", 2},

	{"proyecto-raices", "Proyecto Raíces y Oficios (ficticio)", onward.Project, funds, "", "", 2},
	{"proyecto-agua-viva", "Proyecto Agua Viva (ficticio)", onward.Project, publicWorks, "", "", 1.5},
	{"proyecto-milpa", "Proyecto Milpa Resiliente (ficticio)", onward.Project, funds, "", "@Oaxaca;@Chiapas;@Guerrero;@Michoacán;@Puebla;@Veracruz;@Hidalgo", 2},
	{"proyecto-sol-de-todos", "Proyecto Sol de Todos (ficticio)", onward.Project, trains, "", "", 1.2},
	{"fondo-semilla", "Fondo Semilla Migrante (ficticio)", onward.Project, funds, "", "", 2.5},
	{"proyecto-empleo-joven", "Proyecto Primer Empleo (ficticio)", onward.Project, trains, "", "", 1.5},

	{"red-retorno-digno", "Red Retorno Digno (ficticia)", onward.CivilSociety, watches, "community", "", 2},
	{"casa-monarca-sur", "Albergue Alas de Monarca (ficticio)", onward.CivilSociety, trains, "community", "@Michoacán;@Jalisco;@Guanajuato;Mexico City", 1.5},
	{"frontera-acompana", "Frontera Acompaña (ficticia)", onward.CivilSociety, trains, "community", north, 2},
	{"mujeres-en-camino", "Mujeres en Camino (ficticia)", onward.CivilSociety, trains, "community", "", 1.2},
	{"escuela-nueva-ruta", "Escuela Nueva Ruta (ficticia)", onward.CivilSociety, trains, "education community", "", 1},
}

var roles = map[roleOfPosts]onward.Role{
	employs: onward.RoleEmployer, small: onward.RoleEmployer, trains: onward.RoleEmployer, funds: onward.RoleEmployer,
	cooperates: onward.RoleEmployer, publicWorks: onward.RoleEmployer, placesPeople: onward.RoleEmployer,
	watches: onward.RolePartner,
}

// makeOrganisations lists the parties with their users.
func (g *generator) makeOrganisations() []Organisation {
	g.stream(1)
	organisations := make([]Organisation, len(parties))
	for i, p := range parties {
		o := Organisation{Organisation: onward.Organisation{Slug: p.slug, Name: p.name, Kind: p.kind, Country: country, Fictional: true}}
		switch {
		case p.slug == mainAgency:
			o.Users = []onward.User{
				g.user(p, onward.RoleCounsellor), g.user(p, onward.RoleCounsellor), g.user(p, onward.RoleCounsellor),
				g.user(p, onward.RoleSupervisor), g.user(p, onward.RoleAdministrator), g.user(p, onward.RoleAnalyst),
			}
		case p.kind == onward.Agency:
			o.Users = []onward.User{g.user(p, onward.RoleCounsellor), g.user(p, onward.RoleSupervisor)}
		case p.kind == onward.CivilSociety:
			o.Users = []onward.User{g.user(p, onward.RolePartner)}
			if p.posts != watches {
				o.Users = append(o.Users, g.user(p, onward.RoleEmployer))
			}
		default:
			o.Users = []onward.User{g.user(p, roles[p.posts])}
		}
		for k := range o.Users { // two people of the same name do not share an address
			for n := range k {
				if o.Users[n].Email == o.Users[k].Email {
					o.Users[k].Email = strings.Replace(o.Users[k].Email, "@", "2@", 1)
				}
			}
		}
		organisations[i] = o
	}
	return organisations
}

func (g *generator) user(p party, role onward.Role) onward.User {
	given, surname := one(g.draw, append(womensNames[:len(womensNames):len(womensNames)], mensNames...)), one(g.draw, surnames)
	address := asciiWord(given) + "." + asciiWord(surname) + "@" + p.slug + ".example"
	if p.slug == mainAgency {
		address = asciiWord(given) + "." + asciiWord(surname) + "@example.org"
	}
	language := "es"
	if role == onward.RoleAnalyst {
		language = "en"
	}
	return onward.User{Name: given + " " + surname, Email: address, Role: role, Language: language}
}

var plainLetters = strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", "ü", "u", "ñ", "n", " ", "-")

// asciiWord is a name as it stands in an address.
func asciiWord(s string) string { return plainLetters.Replace(strings.ToLower(s)) }

// poster is a party with the places that it posts for; nil: everywhere.
type poster struct {
	party
	places map[onward.PlaceID]bool
}

func (p *poster) serves(id onward.PlaceID) bool { return p.places == nil || p.places[id] }

// weight is how often a party posts an opening in a place: who is from the region posts more of it.
func (p *poster) weight(id onward.PlaceID) float64 {
	switch {
	case !p.serves(id):
		return 0
	case p.places != nil:
		return 3 * p.size
	default:
		return p.size
	}
}

// industryNames are the words of parties, which name industries as the constants do.
var industryNames = map[string]industryKey{"foodMaking": foodMaking, "callCentre": callCentre}

func (g *generator) makePosters() map[industryKey][]poster {
	posters := map[industryKey][]poster{}
	for _, p := range parties {
		at := g.poster(p)
		if p.posts == placesPeople && p.where == "" {
			g.general = at
		}
		for name := range strings.FieldsSeq(p.industries) {
			if name == "*" {
				for _, i := range industries {
					general := at
					general.size *= 0.35 // most employers post themselves
					posters[i.key] = append(posters[i.key], general)
				}
				continue
			}
			key, ok := industryNames[name]
			if !ok {
				key = industryKey(name)
			}
			posters[key] = append(posters[key], at)
		}
	}
	return posters
}

func (g *generator) poster(p party) poster {
	at := poster{party: p}
	if p.where != "" {
		at.places = g.atlas.set(p.where)
	}
	return at
}

// postersFor lists the parties that make one kind of posting besides jobs.
func (g *generator) postersFor(posts ...roleOfPosts) []poster {
	var list []poster
	for _, p := range parties {
		for _, r := range posts {
			if p.posts == r && p.kind != onward.Agency {
				list = append(list, g.poster(p))
			}
		}
	}
	return list
}

// postedBy picks who posts an opening in a place.
func (g *generator) postedBy(among []poster, place onward.PlaceID) poster {
	if p, ok := weighted(g.draw, among, func(p *poster) float64 { return p.weight(place) }); ok {
		return p
	}
	return g.general
}
